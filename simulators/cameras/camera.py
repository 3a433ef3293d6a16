"""A camera, an arm and its relay, whatever the vendor: what happens when a car comes."""

import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from simulators.cameras.faults import Faults
from simulators.cameras.line import Hearing, Line, NoAnswer
from simulators.cameras.memory import Memory, Shelf
from simulators.cameras.plan import CameraPlan, Habits
from simulators.gate.barrier import Barrier
from simulators.gate.clocks import DeviceClock
from simulators.gate.faults import misread
from simulators.gate.trace import Trace
from simulators.gate.wire import same_plate

COLOURS = {"blue": 1, "yellow": 2, "white": 3, "black": 4, "green": 5, "yellow_green": 6}


@dataclass(frozen=True)
class Reading:
    """A car as the camera read it: the number of the record, and the moment by the camera's own clock."""

    number: int
    plate: str
    colour: int
    at: float


class Camera(ABC):
    """One camera. Subclasses know a vendor's words, and how it reads the bytes of an answer."""

    heard: Hearing = staticmethod(json.loads)

    def __init__(
        self, plan: CameraPlan, habits: Habits, shelf: Shelf, trace: Trace, clock_file: Path | None
    ) -> None:  # fmt: skip
        self.plan, self.habits = plan, habits
        self.memory, self.faults = Memory(shelf, plan.serial), Faults()
        self.clock = DeviceClock(clock_file, self.memory.fact("clock_error"))
        self.line, self.trace = Line(plan, habits, self.faults, trace, self.heard), trace
        self.barrier = Barrier(lambda _: None)
        self.random = Random(f"{habits.seed}-{plan.serial}")  # noqa: S311 - the same again, on purpose
        self.mode = "online"
        self.busy = threading.RLock()

    def arrive(self, plate: str, colour: str, read_as: str | None = None) -> dict[str, Any]:
        """A car comes; tells everything that then happened."""
        with self.busy:
            read = read_as if read_as is not None else self._read(plate)
            reading = Reading(self.memory.next_number("plateid"), read, COLOURS.get(colour, 0), self.clock.now())
            before = len(self.memory.relays())
            try:
                answer = self._ask(reading)
                self.mode = "online"
            except NoAnswer:
                return self._alone(reading)
            self.obey(answer, f"record {reading.number}")
            opened = any(relay["io"] == 0 for relay in self.memory.relays()[before:])
            return self._outcome(reading, opened and self._drive(), answer)

    def obey(self, answer: Mapping[str, Any], why: str) -> None:
        """Do what an answer says; only the vendor's one word opens."""
        with self.busy:
            for io, value in self.orders(answer):
                self._close_relay(io, value, why)
            self.carry_out(answer)

    def reboot(self) -> None:
        """The power fails for a moment."""
        self.memory.set_fact("countid", 0)
        self.lose_power()

    def reset(self) -> None:
        """To the maker's state, but for the address of the platform."""
        self.memory.reset()
        self.clock.error = 0.0

    def set_clock_error(self, seconds: float) -> None:
        """Put the clock wrong, also through a power cut."""
        self.memory.set_fact("clock_error", seconds)
        self.clock.error = seconds

    def show(self) -> dict[str, Any]:
        """How it stands."""
        return {
            "serial": self.plan.serial, "mode": self.mode, "barrier": self.barrier.state, "list": self.memory.rows(),
            "relays": self.memory.relays(), "waiting": self.memory.waiting(),
        }  # fmt: skip

    def listed(self, plate: str) -> bool:
        """Whether the camera's own list opens for this plate now, by the camera's own clock."""
        now = self.local_now()
        return any(
            same_plate(row["plate"], plate) and row["begins"] <= now < row["ends"] for row in self.memory.rows()
        )  # fmt: skip

    @abstractmethod
    def body_of(self, reading: Reading, *, offline: bool = False, opener: int = 0) -> dict[str, Any]:
        """A reading as this vendor pushes it; `opener`: 0 nobody, 1 the server, 2 the camera's own list."""

    @abstractmethod
    def orders(self, answer: Mapping[str, Any]) -> list[tuple[int, int]]:
        """The relays to close, with value; (0, 2) is the pulse that raises the arm."""

    @abstractmethod
    def carry_out(self, answer: Mapping[str, Any]) -> None:
        """All else that an answer says."""

    @abstractmethod
    def local_now(self) -> str:
        """The camera's clock as its list writes moments."""

    @abstractmethod
    def remember(self, reading: Reading, opener: int) -> None:
        """Keep a reading that nobody took."""

    @abstractmethod
    def replay(self) -> bool:
        """Send the oldest kept record; whether another may follow at once."""

    @abstractmethod
    def breathe(self) -> float:
        """One sign of life; how many seconds to wait before the next. Raises `NoAnswer`."""

    @abstractmethod
    def tell_contact(self, source: int) -> None:
        """A contact closed."""

    @abstractmethod
    def lose_power(self) -> None:
        """Forget what this vendor keeps in memory alone."""

    def _ask(self, reading: Reading) -> dict[str, Any]:
        """Push, and push again at once as often as this camera is set to."""
        for _ in range(self.plan.resends):
            try:
                return self.line.push(self.body_of(reading))
            except NoAnswer:
                continue
        return self.line.push(self.body_of(reading))

    def _alone(self, reading: Reading) -> dict[str, Any]:
        self.mode = "offline"
        opens = self.plan.offline_check and self.listed(reading.plate)
        if opens:
            self._close_relay(0, 2, f"own list, record {reading.number}")
        self.remember(reading, 2 if opens else 0)
        return self._outcome(reading, opens and self._drive(), None)

    def _close_relay(self, io: int, value: int, why: str) -> None:
        self.memory.note_relay(self.clock.now(), io, value, why)
        self.trace.note(self.plan.serial, "relay", io=io, value=value, why=why)
        if io == 0 and not self.faults.spend("locked"):
            self.barrier.raise_arm()
        if io == 1:
            self.barrier.lower_arm()

    def _drive(self) -> bool:
        """The car drives through where the arm is up, and closes the contact behind it."""
        if self.barrier.state != "open" or self.faults.spend("no_pass"):
            self.barrier.lower_arm()
            return False
        self.barrier.let_pass()
        if self.plan.loop_input is not None:
            self.tell_contact(self.plan.loop_input)
        return True

    def let_through(self) -> bool:
        """A car that waits drives through an arm that was raised meanwhile."""
        with self.busy:
            return self._drive()

    def _read(self, plate: str) -> str:
        return misread(plate, self.random) if self.faults.spend("misread") else plate

    def _outcome(self, reading: Reading, passed: bool, answer: Mapping[str, Any] | None) -> dict[str, Any]:
        return {
            "number": reading.number, "mode": self.mode, "passed": passed, "barrier": self.barrier.moves(),
            "answer": answer, "waiting": self.memory.waiting(),
        }  # fmt: skip
