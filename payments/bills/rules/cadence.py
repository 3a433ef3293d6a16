"""When bills are asked for: from 10:00 of the next day, again while they are not had, and twice more later."""

from datetime import date, datetime, time, timedelta
from typing import Final

from app.kernel.clock import SHANGHAI

READY: Final = time(10)
AGAIN_AFTER: Final = (timedelta(days=3), timedelta(days=30))
"""WeChat may correct a bill: it is looked at once more on the third and on the thirtieth day."""
KEPT_DAYS: Final = 90
"""How long WeChat keeps bills (three months)."""
LATE_AFTER: Final = timedelta(hours=6)
_WAITS: Final = (2, 5, 10, 30)
_CREATING: Final = "STATEMENT_CREATING"


def ready_at(day: date) -> datetime:
    """When a day's bill may first be fetched."""
    return datetime.combine(day + timedelta(days=1), READY, SHANGHAI)


def after_success(day: date, now: datetime) -> datetime | None:
    """When a bill that was had is looked at again; none: never more."""
    later = (datetime.combine(day + span, READY, SHANGHAI) for span in AGAIN_AFTER)
    return next((each for each in later if each > now), None)


def after_failure(day: date, tries: int, code: str, now: datetime) -> datetime | None:
    """When a bill that was not had is asked for again, after so many `tries`: in 2, 5, 10, then every 30 minutes.

    None: never more, for WeChat has it no more (`is_gone`).
    """
    if is_gone(day, now):
        return None
    minutes = _WAITS[-1] if code == _CREATING else _WAITS[min(tries, len(_WAITS) - 1)]
    return now + timedelta(minutes=minutes)


def is_gone(day: date, now: datetime) -> bool:
    """Whether WeChat has the day's bills no more: a person brings them from the merchant platform."""
    return now.astimezone(SHANGHAI).date() - day > timedelta(days=KEPT_DAYS)


def is_late(day: date, now: datetime) -> bool:
    """Whether a person should know that a bill is still not had."""
    return now - ready_at(day) > LATE_AFTER
