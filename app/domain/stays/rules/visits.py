"""What the passages of one plate in one lot amount to. The same words for what is lived and for what is rebuilt.

Gates err and tell late, so a passage may be understood only when another one is known: until then it waits.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

SAME_CAR: Final = timedelta(seconds=15)
"""A second reading of the same plate at the same lot within this time is the same passage."""

WAITS: Final = timedelta(days=7)
"""What nobody understood so long before or after is left to people."""

Outcome = Literal["entered", "left", "repeated"]


@dataclass(frozen=True)
class Passed:
    """A verified passage of a car whose plate is known: its event, which way, when, and whether it was told late."""

    event_id: int
    direction: str
    at: datetime
    offline: bool


@dataclass
class Visit:
    """One car in one lot, named by the event of its entry; still inside while there is no exit."""

    entry: int
    entered_at: datetime
    exit: int | None = None
    exited_at: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Whether the car was inside at a moment."""
        return self.entered_at <= at and (self.exited_at is None or at < self.exited_at)


@dataclass(frozen=True)
class Step:
    """A passage that is understood now, and the entry of the visit to which it belongs."""

    passed: Passed
    outcome: Outcome
    entry: int


@dataclass
class Book:
    """All that matters of one plate in one lot: its visits, and the passages that wait to be understood."""

    visits: list[Visit] = field(default_factory=list)
    waiting: list[Passed] = field(default_factory=list)

    def take(self, passed: Passed) -> list[Step]:
        """Write a passage down; returns the steps that follow, its own first. None: it waits, and a person must look.

        What waited is asked again as long as that leads on: the exit whose entry was told late, or the entry behind it.
        """
        first = self._understood(passed)
        if first is None:
            self.waiting.append(passed)
            return []
        return [first, *self._led_on(passed)]

    def _led_on(self, passed: Passed) -> Iterable[Step]:
        while True:
            near = [each for each in self.waiting if abs(each.at - passed.at) <= WAITS]
            for each in sorted(near, key=lambda one: (one.at, one.event_id)):
                self.waiting.remove(each)
                step = self._understood(each)
                if step is not None:
                    yield step
                    break
                self.waiting.append(each)
            else:
                return

    def _understood(self, passed: Passed) -> Step | None:
        return self._entered(passed) if passed.direction == "in" else self._left(passed)

    def _entered(self, passed: Passed) -> Step | None:
        """An entry begins a visit, unless the car is inside, or drove in again since without an exit in between."""
        if same := self._first(abs(visit.entered_at - passed.at) <= SAME_CAR for visit in self.visits):
            return Step(passed, "repeated", same.entry)
        later = [visit.entered_at for visit in self.visits if visit.entered_at > passed.at]
        if self.inside is not None or self._first(visit.holds(passed.at) for visit in self.visits):
            return None
        if later and not self._ends_before(passed, min(later)):
            return None
        self.visits.append(Visit(passed.event_id, passed.at))
        return Step(passed, "entered", passed.event_id)

    def _ends_before(self, entry: Passed, next_entry: datetime) -> bool:
        """Whether an exit waits that ends this visit before the next one begins, and no other entry in between."""
        until = min(next_entry, entry.at + WAITS)
        between = [each for each in self.waiting if entry.at <= each.at < until]
        first = min(between, key=lambda each: (each.at, each.direction == "out"), default=None)
        return first is not None and first.direction == "out"

    def _left(self, passed: Passed) -> Step | None:
        """An exit ends the visit of the car inside, unless news that came late speaks of another entry in between."""
        inside = self.inside
        if inside is not None and inside.entered_at <= passed.at:
            if self._may_have_left_before(inside, passed):
                return None
            inside.exit, inside.exited_at = passed.event_id, passed.at
            return Step(passed, "left", inside.entry)
        ends = (visit.exited_at and abs(visit.exited_at - passed.at) <= SAME_CAR for visit in self.visits)
        same = self._first(ends)
        return Step(passed, "repeated", same.entry) if same else None

    def _may_have_left_before(self, inside: Visit, passed: Passed) -> bool:
        return any(
            each.direction == "in" and inside.entered_at < each.at <= passed.at and (each.offline or passed.offline)
            for each in self.waiting
        )

    @property
    def inside(self) -> Visit | None:
        """The visit that has not ended."""
        return self._first(visit.exit is None for visit in self.visits)

    def _first(self, wanted: Iterable[object]) -> Visit | None:
        return next((visit for visit, is_it in zip(self.visits, wanted, strict=True) if is_it), None)


def replayed(passages: Iterable[tuple[int, Passed]]) -> Mapping[int, Book]:
    """The books of a lot's plates, from nothing but passages in the order in which they were first understood."""
    books: dict[int, Book] = {}
    for plate_id, passed in passages:
        books.setdefault(plate_id, Book()).take(passed)
    return books
