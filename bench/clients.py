"""Clients that call the reserve action itself, each with a connection of its own, without HTTP between."""

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask import Flask

from app.domain.reservations.actions import reserve
from bench.city import ALL_LOTS, key_of
from bench.crew import Crew, crew_of
from bench.wishes import HOUR, a_beginning

PROCESSES: Final = 2
"""As many as a server has workers."""


@dataclass(frozen=True)
class Spell:
    """One client reserves for some seconds, each motorist once, in an app context of its own as in a request."""

    motorists: Sequence[int]
    lots: Sequence[int]
    seconds: float

    def run(self, app: Flask) -> int:
        """How many reservations it made. Raises `StopIteration` when there are no motorists left."""
        waiting, chance, made = iter(self.motorists), random.Random(self.motorists[0]), 0  # noqa: S311 - no secret
        until = time.perf_counter() + self.seconds
        while time.perf_counter() < until:
            with app.app_context():
                reserve_once(next(waiting), chance.choice(self.lots), a_beginning(chance))
            made += 1
        return made


class Clients:
    """They share motorists and lots out among themselves, and are idle until they are asked to reserve."""

    def __init__(self, crew: Crew, motorists: Sequence[int], count: int) -> None:
        self._crew = crew
        self._waiting = [motorists[number::count] for number in range(count)]
        self._lots = [ALL_LOTS[number::count] for number in range(count)]

    def transactions_per_second(self, seconds: float) -> float:
        """How many reservations all clients together made and committed per second."""
        spells = [Spell(each, lots, seconds) for each, lots in zip(self._waiting, self._lots, strict=True)]
        began = time.perf_counter()
        made = self._crew.run(spells)
        self._waiting = [each[count:] for each, count in zip(self._waiting, made, strict=True)]
        return sum(made) / (time.perf_counter() - began)


@contextmanager
def action_clients(app: Flask, motorists: Sequence[int], count: int) -> Iterator[Clients]:
    """`count` clients. The app must not be connected yet, for its processes are forked from this one."""
    with crew_of(app, PROCESSES, count // PROCESSES) as crew:
        yield Clients(crew, motorists, count)


def reserve_once(motorist: int, lot: int, begins_at: datetime) -> None:
    """One reservation of one hour."""
    reserve(motorist, key_of(motorist), key_of(lot), begins_at, begins_at + HOUR)
