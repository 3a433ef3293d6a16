"""What the calendars in force tell; asked from tables only, never from a package or the network."""

from datetime import date

from sqlalchemy import select

from app.domain.calendars.models import CalendarDay, CalendarVersion
from app.domain.calendars.rules import Day, DayBook, DayKind, Status
from app.kernel.db import transaction


def day_book(first: date, last: date) -> DayBook:
    """The days from `first` to `last`, both included, in one question; dates without a calendar are provisional."""
    days = (
        select(CalendarDay, CalendarVersion.status)
        .join(CalendarVersion, CalendarVersion.id == CalendarDay.version_id)
        .where(CalendarVersion.in_force, CalendarDay.date.between(first, last))
    )
    with transaction() as session:
        return DayBook(first, last, {row.date: _day(row, status) for row, status in session.execute(days)})


def _day(row: CalendarDay, status: str) -> Day:
    return Day(row.date, DayKind(row.kind), row.holiday, row.is_makeup, Status(status))


def day_kind(of: date) -> DayKind:
    """The kind of one date on which a promise may rest; closed-safe where no official calendar is loaded."""
    return day_book(of, of).kind(of)


def tariff_calendar(of: date) -> frozenset[str]:
    """The names under which tariffs speak of one date; give it to `pricing.rules.quote` as the calendar."""
    return day_book(of, of).classes(of)


def last_official_day() -> date | None:
    """The last date that an official calendar tells; alarms count down to it."""
    years = select(CalendarVersion.year).where(CalendarVersion.in_force, CalendarVersion.status == Status.OFFICIAL)
    with transaction() as session:
        known = session.scalars(years).all()
    return date(max(known), 12, 31) if known else None


def version_in_force(year: int) -> CalendarVersion | None:
    """The year's calendar that counts now, or None while the year is provisional by rule alone."""
    with transaction() as session:
        return session.scalar(select(CalendarVersion).where(CalendarVersion.in_force, CalendarVersion.year == year))
