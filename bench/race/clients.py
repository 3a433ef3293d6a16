"""What each of the clients does: it calls the actions, and nothing else."""

import random
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from flask import Flask
from sqlalchemy.exc import OperationalError

from app.domain.claims.actions import LotBusy, LotFull, seat
from app.domain.reservations.actions import cancel, reserve
from app.kernel.db import LOCK_NOT_AVAILABLE, sqlstate
from app.kernel.refusals import Refusal
from bench.city import key_of
from bench.ground import MOMENT
from bench.race.scene import HOT_LOTS, MOTORISTS, QUARTERS, SHARED_LOTS, quarter

HOT_SHARE: Final = 0.5
CANCEL_SHARE: Final = 0.25
WALK_IN_SHARE: Final = 0.05
LONGEST: Final = 8
"""Quarters of an hour that one reservation lasts at most."""
FAULT_LENGTH: Final = 300


@dataclass(frozen=True)
class Wish:
    """A lot and a span that a client asked for."""

    lot: int
    begins_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class Heat:
    """What a client is asked to do: `churn` also cancels and lets cars in without reservation."""

    attempts: int
    seed: int
    churn: bool

    def run(self, app: Flask) -> "Outcome":
        """All attempts, one after the other."""
        runner = Runner(app, self)
        runner.run()
        return runner.outcome


@dataclass
class Outcome:
    """How many attempts there were, and how they ended, by code; what was refused as full; what broke."""

    attempts: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    full: list[Wish] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def add(self, other: "Outcome") -> None:
        """Both together."""
        self.attempts += other.attempts
        self.codes += other.codes
        self.full += other.full
        self.faults += other.faults

    @classmethod
    def sum(cls, outcomes: Iterable["Outcome"]) -> "Outcome":
        """All together."""
        total = cls()
        for outcome in outcomes:
            total.add(outcome)
        return total


class Runner:
    """One client. It remembers what it has, so that it can give it back."""

    def __init__(self, app: Flask, heat: Heat) -> None:
        self.outcome = Outcome()
        self._app = app
        self._attempts = heat.attempts
        self._churn = heat.churn
        self._chance = random.Random(heat.seed)  # noqa: S311 - the same wishes for the same seed
        self._mine: list[tuple[int, uuid.UUID]] = []

    def run(self) -> None:
        """All attempts, one after the other."""
        for _ in range(self._attempts):
            self.outcome.attempts += 1
            with self._app.app_context():
                self._count(self._act())

    def _act(self) -> Callable[[], str]:
        if self._churn and self._chance.random() < WALK_IN_SHARE:
            return self._drive_in
        return self._reserve

    def _count(self, act: Callable[[], str]) -> None:
        try:
            self.outcome.codes[act()] += 1
            if self._churn and self._mine and self._chance.random() < CANCEL_SHARE:
                self._give_back()
        except Refusal as refusal:
            self.outcome.codes[refusal.code] += 1
        except Exception as fault:  # noqa: BLE001 - whatever it is, the race is lost by it and says so
            if _waited_in_vain(fault):
                self.outcome.codes[LotBusy.code] += 1
                return
            self.outcome.codes["fault"] += 1
            self.outcome.faults.append(f"{type(fault).__name__}: {fault}"[:FAULT_LENGTH])

    def _reserve(self) -> str:
        motorist, wish = self._chance.choice(MOTORISTS), self._wish()
        try:
            made = reserve(motorist, key_of(motorist), key_of(wish.lot), wish.begins_at, wish.ends_at)
        except LotFull:
            self.outcome.full.append(wish)
            raise
        self._mine.append((motorist, made.key))
        return "reserved"

    def _wish(self) -> Wish:
        lots = HOT_LOTS if self._chance.random() < HOT_SHARE else SHARED_LOTS
        first = self._chance.randrange(QUARTERS)
        last = min(first + self._chance.randint(1, LONGEST), QUARTERS)
        return Wish(self._chance.choice(lots), quarter(first), quarter(last))

    def _drive_in(self) -> str:
        seat(self._chance.choice(HOT_LOTS), self._chance.choice(MOTORISTS), MOMENT, quarter(QUARTERS))
        return "driven in"

    def _give_back(self) -> None:
        cancel(*self._mine.pop(self._chance.randrange(len(self._mine))))
        self.outcome.codes["cancelled"] += 1


def _waited_in_vain(fault: Exception) -> bool:
    """Two clients of one motorist: the second waits two seconds at most, and the door then says that we are busy."""
    return isinstance(fault, OperationalError) and sqlstate(fault) == LOCK_NOT_AVAILABLE
