"""Which nights a regular place has, and from when until when."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from sqlalchemy.dialects.postgresql import Range

from app.domain.calendars.rules import DayBook, DayKind
from app.kernel.clock import SHANGHAI
from app.kernel.spans import span

ONE_DAY: Final = timedelta(days=1)


def ends(nights: Range[date]) -> tuple[date, date]:
    """The first and the last night of a round."""
    assert nights.lower is not None
    assert nights.upper is not None
    return nights.lower, nights.upper - ONE_DAY


def work_nights(book: DayBook, first: date, last: date) -> list[date]:
    """The dates from `first` to `last` that are work days by the calendar: their nights are work nights (工作日夜间).

    An uncertain day counts by the week. Its hours are those of a work day under both readings, as everywhere.
    """
    days = (first + place * ONE_DAY for place in range((last - first).days + 1))
    return [day for day in days if book.day(day).kind is DayKind.WORKDAY]


def midnight_after(night: date) -> datetime:
    """The middle of the night that begins on a date."""
    return datetime.combine(night + ONE_DAY, time(), SHANGHAI)


def night_span(
    night: date, windows: Iterable[tuple[datetime, datetime]], numbers: Mapping[str, int]
) -> Range[datetime] | None:
    """The span of a night: what is open around its midnight, cut to the hours that the city has for regular places.

    None where the lot is shut at midnight.
    """
    middle = midnight_after(night)
    earliest = middle - ONE_DAY + timedelta(minutes=numbers["regular_night_from_minutes"])
    latest = middle + timedelta(minutes=numbers["regular_night_until_minutes"])
    for opens_at, closes_at in windows:
        if opens_at <= middle < closes_at:
            return span(max(opens_at, earliest).astimezone(UTC), min(closes_at, latest).astimezone(UTC))
    return None
