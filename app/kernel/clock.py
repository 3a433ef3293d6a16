"""The one clock: the database's time plus an offset that development and tests may move.

The offset lies in a small file (seconds, decimal) that every process reads anew, so that all of
them move at once. Production has no such file. Within one transaction the moment stands still.
"""

import os
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from app.kernel.db import begin, running, transaction
from app.kernel.prepared import Prepared

SHANGHAI = ZoneInfo("Asia/Shanghai")
CARRIED_SECONDS = 60.0
_ASKED: Final = Prepared(select(func.clock_timestamp()))
_offset_file: Path | None = None
_last: tuple[datetime, float] | None = None
"""The database's time, and the monotonic second at which it was asked."""


def use_offset_file(path: Path | None) -> None:
    """Name the file that moves the clock; `None` in production."""
    global _offset_file
    _offset_file = path


def offset() -> timedelta:
    """How far the platform's clock stands from the database's."""
    if _offset_file is None:
        return timedelta()
    try:
        file = os.open(_offset_file, os.O_RDONLY)
    except FileNotFoundError:
        return timedelta()
    try:
        return timedelta(seconds=float(os.read(file, 64) or 0))
    finally:
        os.close(file)


def now() -> datetime:
    """The platform's moment, aware and in UTC; the same throughout one transaction."""
    with transaction():
        within = running()
        if within.moment is not None:
            return within.moment
        at = begin() or _ASKED.value()
        assert isinstance(at, datetime)
        return brought(at)


def brought(at: datetime) -> datetime:
    """Let the running transaction's moment be `at`, the database's time that some statement of it brought along.

    It spares the question. Where the moment stands already it is that one. Returns the platform's moment.
    """
    within = running()
    if within.moment is None:
        _note(at)
        within.moment = at.astimezone(UTC) + offset()
    return within.moment


def glance() -> datetime:
    """The platform's moment to a second or so, for what may be a little stale: most times without asking the database.

    The database's time when this process last asked, carried on by the machine's monotonic clock for a minute at most.
    """
    if _last is None or time.monotonic() - _last[1] > CARRIED_SECONDS:
        return now()
    at, asked = _last
    return at + timedelta(seconds=time.monotonic() - asked) + offset()


def steady() -> float:
    """Seconds of this machine that only grow, to tell how old something in memory is; no moment of the platform."""
    return time.monotonic()


def _note(at: datetime) -> None:
    global _last
    _last = at.astimezone(UTC), time.monotonic()


def business_day(at: datetime) -> date:
    """The calendar day in Hangzhou to which a moment belongs."""
    return at.astimezone(SHANGHAI).date()


def shanghai(at: datetime) -> datetime:
    """The same moment on the clocks of Hangzhou."""
    return at.astimezone(SHANGHAI)
