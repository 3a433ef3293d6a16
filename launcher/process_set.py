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
    manager = _Patient()
    for name, command in parse_procfile(procfile.read_text()).processes.items():
        manager.add_process(name, command, env=dict(environment), cwd=str(ROOT))
    with _nobody_left():
        manager.loop()
    if manager.returncode not in {signal["rc"] for signal in SIGNALS.values()}:
        raise CannotStart("A process ended by itself (its last words stand above), so all were stopped.")


class _Patient(Manager):  # type: ignore[misc]
    """Asked to stop before every process has told its number, Honcho fails and leaves some behind: this one waits."""

    def terminate(self) -> None:
        if self._all_started():
            super().terminate()

    def _any_stopped(self) -> bool:
        return self.returncode is not None or bool(super()._any_stopped())


@contextmanager
def _nobody_left() -> Iterator[None]:
    """However it ends, no child of ours stays. Those of others are not ours to end."""
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
