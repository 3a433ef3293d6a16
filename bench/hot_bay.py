"""One bay that sixty-four motorists want for the same hour at the same moment, again and again.

They come as in production: through two processes, each with the platform's pool of fifteen connections.
"""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any, Final

import psycopg
from flask import Flask
from sqlalchemy import text

import wsgi
from app.domain.reservations.actions import reserve
from app.kernel.db import transaction
from app.kernel.refusals import Refusal
from app.settings import Settings
from bench.city import ALL_LOTS, FIRST, inhabit, key_of, opened_lots
from bench.crew import Crew, crew_of
from bench.ground import ground
from bench.race.scene import quarter
from bench.race.umpire import Umpire
from bench.results import tell
from launcher.backing import DATABASE

WRITERS: Final = 64
PROCESSES: Final = 2
"""As many as a server has workers."""
ROUNDS: Final = 24
"""Each for another quarter of an hour of the night."""
WARMING: Final = 6
"""So many rushes for another bay come first: a server's connections are warm, and their statements are prepared."""
MOTORISTS: Final = range(FIRST["motorist"], FIRST["motorist"] + (WARMING + ROUNDS) * WRITERS)
HOT_LOT, WARMING_LOT = ALL_LOTS[:2]
ENDURED: Final = 0.99
GATHERING_SECONDS: Final = 0.4


@dataclass(frozen=True)
class Rush:
    """One writer's wish; all begin at the same instant of the machine's clock."""

    motorist: int
    lot: int
    begins_at: datetime
    ends_at: datetime
    start: float

    def run(self, app: Flask) -> tuple[float, str]:
        """How many seconds it took, and how it ended."""
        with app.app_context():
            with transaction() as session:
                session.execute(text("SELECT 1"))  # the connection is there before the rush begins
            time.sleep(max(0.0, self.start - time.monotonic()))
            began = time.monotonic()
            code = self._ask()
            return time.monotonic() - began, code

    def _ask(self) -> str:
        try:
            reserve(self.motorist, key_of(self.motorist), key_of(self.lot), self.begins_at, self.ends_at)
        except Refusal as refusal:
            return refusal.code
        return "reserved"


class NotOneWinner(Exception):
    """Of all who rushed for one bay not exactly one got it: what was measured is worth nothing."""


def measure() -> None:
    """One line, in a city of its own. Raises `NotOneWinner`."""
    with _stage() as (app, superuser):
        umpire = Umpire(superuser)
        with crew_of(app, PROCESSES, WRITERS // PROCESSES) as writers:
            for number in range(WARMING):
                _rush(writers, WARMING_LOT, number)
            seconds = sorted(second for number in range(ROUNDS) for second in _rush(writers, HOT_LOT, number))
            writers.hang_up()
        deadlocks = umpire.deadlocks()
    tell(
        "hot_bay", {"p99_ms": 1000 * seconds[int(ENDURED * len(seconds))], "deadlocks": deadlocks},
        "milliseconds of 64 reserve actions that want one bay at the same instant",
        median_ms=1000 * median(seconds), writers=WRITERS, rounds=ROUNDS,
    )  # fmt: skip


@contextmanager
def _stage() -> Iterator[tuple[Flask, psycopg.Connection[Any]]]:
    """The app, not connected, and a superuser of a city in which either lot has a single bay."""
    with ground(opened_lots) as stand:
        app, admin_url = wsgi.create_app(Settings.from_environment(stand.environment)), stand.servers.postgres.admin_url
        inhabit(admin_url, len(MOTORISTS))
        with psycopg.connect(admin_url, dbname=DATABASE, autocommit=True) as superuser:
            for lot in (HOT_LOT, WARMING_LOT):
                superuser.execute(_ONE_BAY, {"lot": lot})
            yield app, superuser


_ONE_BAY: Final = """
DELETE FROM bay WHERE lot_id = %(lot)s AND id > (SELECT min(id) FROM bay WHERE lot_id = %(lot)s)
"""


def _rush(writers: Crew, lot: int, number: int) -> list[float]:
    """All writers at once, none of whom has reserved before."""
    start = time.monotonic() + GATHERING_SECONDS
    first = (WARMING * (lot == HOT_LOT) + number) * WRITERS
    motorists = MOTORISTS[first : first + WRITERS]
    ended = writers.run([Rush(motorist, lot, quarter(number), quarter(number + 1), start) for motorist in motorists])
    if sum(code == "reserved" for _, code in ended) != 1:
        raise NotOneWinner(Counter(code for _, code in ended))
    return [seconds for seconds, _ in ended]
