"""Cameras that live by themselves: each breathes and replays in a thread of its own."""

import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from simulators.cameras.camera import Camera
from simulators.cameras.line import NoAnswer
from simulators.cameras.memory import Shelf
from simulators.cameras.plan import CameraPlan, Habits
from simulators.gate.trace import Trace

Maker = Callable[[CameraPlan, Habits, Shelf, Trace, Path | None], Camera]


class Living:
    """One camera and the threads in which it goes on."""

    def __init__(self, camera: Camera) -> None:
        self.camera = camera
        self._over = threading.Event()
        for task in (self._breathe, self._replay):
            threading.Thread(target=task, daemon=True).start()

    def end(self) -> None:
        """No more."""
        self._over.set()

    def _breathe(self) -> None:
        pause = 0.0
        while not self._over.wait(pause):
            try:
                pause = self.camera.breathe()
            except NoAnswer:
                pause = self.camera.habits.after_error_seconds

    def _replay(self) -> None:
        pause = 0.0
        while not self._over.wait(pause):
            pause = 0.0 if self._replayed() else 0.2

    def _replayed(self) -> bool:
        if not self.camera.line.up or self.camera.memory.waiting() == 0:
            return False
        try:
            return self.camera.replay()
        except NoAnswer:
            return False


class Yard:
    """All cameras of this process."""

    def __init__(self, make: Maker, habits: Habits, state: Path, clock_file: Path | None) -> None:
        self._make, self._habits, self._clock_file = make, habits, clock_file
        self._shelf = Shelf(state / "cameras.sqlite3")
        self._trace = Trace(state / "trace.jsonl")
        self._living: dict[str, Living] = {}

    def put(self, plans: Iterable[CameraPlan]) -> None:
        """These cameras and no others."""
        self._stop()
        self._living = {
            plan.serial: Living(self._make(plan, self._habits, self._shelf, self._trace, self._clock_file))
            for plan in plans
        }

    def find(self, serial: str) -> Camera | None:
        """A camera by its serial number."""
        living = self._living.get(serial)
        return living.camera if living else None

    def cameras(self) -> list[Camera]:
        """All of them."""
        return [living.camera for living in self._living.values()]

    def end(self) -> None:
        """Stop; the state directory keeps everything."""
        self._stop()
        self._trace.close()

    def _stop(self) -> None:
        for living in self._living.values():
            living.end()
