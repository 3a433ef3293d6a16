"""Where the race takes place: hot lots of a single bay and shared lots of ten, emptied for each round."""

from datetime import datetime, timedelta
from typing import Any, Final

import psycopg
from psycopg.sql import SQL, Identifier

from bench.city import FIRST, Plan
from bench.ground import MOMENT

HOT, SHARED, BAYS = 24, 16, 10
PLAN: Final = Plan(bays=(1,) * HOT + (BAYS,) * SHARED, motorists=20_000, claimed=False)
HOT_LOTS: Final = range(FIRST["lot"], FIRST["lot"] + HOT)
SHARED_LOTS: Final = range(HOT_LOTS.stop, HOT_LOTS.stop + SHARED)
MOTORISTS: Final = range(FIRST["motorist"], FIRST["motorist"] + PLAN.motorists)
QUARTER: Final = timedelta(minutes=15)
FIRST_QUARTER: Final = MOMENT + 4 * QUARTER
QUARTERS: Final = 40
"""Of the night of 10 June: from 21:00 to 07:00, while every lot is open."""

_FILLED: Final = (
    "reservation", "cancellation", "bay_claim", "state_event", "procrastinate_jobs", "message", "task", "lot_change",
)  # fmt: skip


def quarter(number: int) -> datetime:
    """The beginning of one of the night's quarters of an hour."""
    return FIRST_QUARTER + number * QUARTER


def empty(superuser: psycopg.Connection[Any]) -> None:
    """Nobody has claimed anything, and nobody remembers that somebody had."""
    superuser.execute("SET session_replication_role = replica")  # what may only be added to is emptied so only here
    tables = SQL(", ").join(Identifier(name) for name in _FILLED)
    superuser.execute(SQL("TRUNCATE {} CASCADE").format(tables))
