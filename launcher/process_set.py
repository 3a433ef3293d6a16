"""The platform's own processes, all of them or none: what `Procfile` names, under honcho."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil
from honcho import manager as honcho_manager
from honcho.environ import parse_procfile
from honcho.manager import SIGNALS, Manager

from launcher.failure import CannotStart
from launcher.venv import ROOT

GRACE_SECONDS = 30
"""How long a process may take to end: longer than gunicorn's 25 s for requests in hand and the worker's 20 s."""
ENDED_SECONDS = 5


def run_processes(environment: Mapping[str, str], procfile: Path = ROOT / "Procfile") -> None:
    """Run them until asked to stop, and leave none behind. Raises `CannotStart` when one ended by itself."""
    honcho_manager.KILL_WAIT = GRACE_SECONDS  # there is no other way to tell it
    manager = Manager()
    for name, command in parse_procfile(procfile.read_text()).processes.items():
        manager.add_process(name, command, env=dict(environment), cwd=str(ROOT))
    with _nobody_left():
        manager.loop()
    if manager.returncode not in {signal["rc"] for signal in SIGNALS.values()}:
        raise CannotStart("A process ended by itself (its last words stand above), so all were stopped.")


@contextmanager
def _nobody_left() -> Iterator[None]:
    """Honcho lets its children be when a signal meets it between two starts. Those of others are not ours to end."""
    before = set(psutil.Process().children(recursive=True))
    try:
        yield
    finally:
        left = [child for child in psutil.Process().children(recursive=True) if child not in before]
        for process in left:
            process.terminate()
        for process in psutil.wait_procs(left, timeout=ENDED_SECONDS)[1]:
            process.kill()
        sys.stdout.flush()
