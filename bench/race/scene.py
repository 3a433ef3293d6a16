"""Where the race takes place: hot lots of a single bay and shared lots of ten, emptied for each round."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

import psycopg
from flask import Flask
from psycopg.sql import SQL, Identifier

import wsgi
from app.settings import Settings
from bench.city import FIRST, inhabit, open_lots
from bench.ground import MOMENT, ground
from launcher.backing import DATABASE

HOT, SHARED, BAYS = 24, 16, 10
HOT_LOTS: Final = range(FIRST["lot"], FIRST["lot"] + HOT)
SHARED_LOTS: Final = range(HOT_LOTS.stop, HOT_LOTS.stop + SHARED)
MOTORISTS: Final = range(FIRST["motorist"], FIRST["motorist"] + 20_000)
QUARTER: Final = timedelta(minutes=15)
FIRST_QUARTER: Final = MOMENT + 4 * QUARTER
QUARTERS: Final = 40
"""Of the night of 10 June: from 21:00 to 07:00, while every lot is open."""

_FILLED: Final = (
    "reservation", "cancellation", "bay_claim", "state_event", "procrastinate_jobs", "message", "task", "lot_change",
)  # fmt: skip


@contextmanager
def stage() -> Iterator[tuple[Flask, psycopg.Connection[Any]]]:
    """The city on servers of its own: the platform, not connected yet, and a superuser who looks at its tables."""
    with ground() as stand:
        app = wsgi.create_app(Settings.from_environment(stand.environment))
        admin_url = stand.servers.postgres.admin_url
        with app.app_context():
            open_lots(admin_url, (1,) * HOT + (BAYS,) * SHARED)
            inhabit(admin_url, len(MOTORISTS))
            app.extensions["sqlalchemy"].engine.dispose()
        with psycopg.connect(admin_url, dbname=DATABASE, autocommit=True) as superuser:
            yield app, superuser


def quarter(number: int) -> datetime:
    """The beginning of one of the night's quarters of an hour."""
    return FIRST_QUARTER + number * QUARTER


def empty(superuser: psycopg.Connection[Any]) -> None:
    """Nobody has claimed anything, and nobody remembers that somebody had."""
    superuser.execute("SET session_replication_role = replica")  # what may only be added to is emptied so only here
    tables = SQL(", ").join(Identifier(name) for name in _FILLED)
    superuser.execute(SQL("TRUNCATE {} CASCADE").format(tables))
