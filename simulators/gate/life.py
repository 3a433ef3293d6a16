"""The gates of one process and their threads: one waits for commands, one beats."""

import threading
from collections.abc import Callable
from pathlib import Path
from random import Random

from simulators.gate.gate import Gate
from simulators.gate.line import NoAnswer, Refused
from simulators.gate.memory import Shelf
from simulators.gate.plan import GatePlan, Habits
from simulators.gate.trace import Trace

SECONDS_TO_SWITCH_ON = 0.05
LONGEST_TO_SWITCH_ON = 4.0
RETRY_SECONDS = 1.0


class Living:
    """A gate with power: its two threads."""

    def __init__(self, gate: Gate, heartbeat_seconds: float, switched_on_within: float = 0.0) -> None:
        self.gate = gate
        self._heartbeat_seconds = heartbeat_seconds
        self._rhythm = Random(gate.plan.gate_id)  # noqa: S311 - a street of gates never beats in step
        self._first_word_after = self._rhythm.uniform(0.0, switched_on_within)
        self._over, self._kick = threading.Event(), threading.Event()
        self._threads = [
            threading.Thread(target=task, name=f"{name}-{gate.plan.gate_id}", daemon=True)
            for name, task in (("poll", self._poll), ("beat", self._beat))
        ]
        for thread in self._threads:
            thread.start()

    def kick(self) -> None:
        """Do not wait for the next heartbeat."""
        self._kick.set()

    def end(self) -> None:
        """Switch off."""
        self._over.set()
        self._kick.set()
        self.gate.line.up = False
        self.gate.line.close()

    def _poll(self) -> None:
        self._over.wait(self._first_word_after)
        while not self._over.is_set():
            if not self._answered(self.gate.poll):
                self._over.wait(RETRY_SECONDS)

    def _beat(self) -> None:
        self._over.wait(self._first_word_after)
        while not self._over.is_set():
            if self._answered(self.gate.beat):
                self.gate.flush()
            self._kick.wait(self._heartbeat_seconds * self._rhythm.uniform(0.75, 1.25))
            self._kick.clear()

    def _answered(self, call: Callable[[], None]) -> bool:
        try:
            call()
        except (NoAnswer, Refused) as failure:
            if not self._over.is_set():
                self.gate.mode = "offline"
                self.gate.trace.note(self.gate.plan.gate_id, "no_answer", because=str(failure))
            return False
        return True


class Street:
    """All gates of this process, by id."""

    def __init__(self, habits: Habits, state: Path, clock_file: Path | None) -> None:
        state.mkdir(parents=True, exist_ok=True)
        self._habits, self._clock_file = habits, clock_file
        self._shelf, self._trace = Shelf(state / "gates.sqlite3"), Trace(state / "trace.jsonl")
        self._living: dict[str, Living] = {}
        self._lock = threading.Lock()

    def put(self, plans: list[GatePlan]) -> None:
        """Put gates up; one that stands already is replaced and keeps its memory.

        Many are switched on one after the other, as in a city, and not all in the same second.
        """
        within = min(SECONDS_TO_SWITCH_ON * (len(plans) - 1), LONGEST_TO_SWITCH_ON)
        with self._lock:
            for plan in plans:
                standing = self._living.pop(plan.gate_id, None)
                if standing is not None:
                    standing.end()
                gate = Gate(plan, self._habits, self._shelf, self._trace, self._clock_file)
                self._living[plan.gate_id] = Living(gate, self._habits.heartbeat_seconds, within)

    def find(self, gate_id: str) -> Living | None:
        """One gate with its threads."""
        return self._living.get(gate_id)

    def gates(self) -> list[Gate]:
        """All gates."""
        return [living.gate for living in self._living.values()]

    def end(self) -> None:
        """Switch everything off; threads that still wait for an answer die with the process."""
        with self._lock:
            for living in self._living.values():
                living.end()
        self._trace.close()
