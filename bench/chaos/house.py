"""The platform's processes as `Procfile` names them; whichever dies is started again, as a supervisor would."""

import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil
from honcho.environ import parse_procfile

from launcher.failure import CannotStart
from launcher.ports import is_taken
from launcher.processes import await_that
from launcher.venv import ROOT

OURS: Final = ("web", "worker", "worker", "sweepers", "wechat")
READY_SECONDS: Final = 90
LOOK_SECONDS: Final = 0.2
ENDED_SECONDS: Final = 30
PLATFORM: Final = "wsgi:app"
KEPT: Final = " --state-file"
"""The stand-in for WeChat is not killed, and need not write its whole book down once a second."""


class House:
    """The processes, by name and number."""

    def __init__(self, environment: Mapping[str, str], app: str, logs: Path) -> None:
        told = parse_procfile((ROOT / "Procfile").read_text()).processes
        self._commands = [told[name].replace(PLATFORM, app).partition(KEPT)[0] for name in OURS]
        self._environment = environment
        self._logs = logs
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self.started: Counter[str] = Counter()

    def process(self, name: str, nth: int = 0) -> psutil.Process | None:
        """The `nth` of the running processes of this name, if it runs."""
        places = [place for place, each in enumerate(OURS) if each == name]
        with self._lock:
            found = self._running.get(places[nth])
        if found is None or found.poll() is not None:
            return None
        try:
            return psutil.Process(found.pid)
        except psutil.NoSuchProcess:
            return None

    def keep(self) -> None:
        """Start whatever does not run, until everything is ended."""
        while not self._stopped.wait(LOOK_SECONDS):
            with self._lock:
                self._start_the_dead()

    def _start_the_dead(self) -> None:
        for place in range(len(OURS)):
            running = self._running.get(place)
            if not self._stopped.is_set() and (running is None or running.poll() is not None):
                self._running[place] = self._start(place)

    def _start(self, place: int) -> subprocess.Popen[bytes]:
        self.started[OURS[place]] += 1
        with (self._logs / f"{OURS[place]}.{place}.log").open("ab") as log:
            return subprocess.Popen(
                ["sh", "-c", self._commands[place]], cwd=ROOT, env=dict(self._environment), stdout=log,
                stderr=subprocess.STDOUT,
            )  # fmt: skip

    def end(self) -> None:
        """All of them, and nobody starts them again."""
        self._stopped.set()
        with self._lock:
            for each in self._running.values():
                each.terminate()
            ends = time.monotonic() + ENDED_SECONDS
            for each in self._running.values():
                try:
                    each.wait(max(0.1, ends - time.monotonic()))
                except subprocess.TimeoutExpired:
                    each.kill()
                    each.wait()


@contextmanager
def house(environment: Mapping[str, str], app: str, logs: Path) -> Iterator[House]:
    """All processes, running; ended afterwards. Raises `CannotStart` when nobody answers."""
    logs.mkdir(parents=True, exist_ok=True)
    made = House(environment, app, logs)
    keeper = threading.Thread(target=made.keep, name="keeper", daemon=True)
    keeper.start()
    try:
        ports = [int(environment[name]) for name in ("PORT", "WECHAT_PORT")]
        if not await_that(lambda: all(is_taken(port) for port in ports), READY_SECONDS):
            raise CannotStart("the platform's processes do not answer")
        yield made
    finally:
        made.end()
        keeper.join()
