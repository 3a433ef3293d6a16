"""What the calendars in force tell; asked from tables only, never from a package or the network."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select

from app.domain.calendars.models import CalendarDay, CalendarVersion
from app.domain.calendars.rules import Day, DayBook, DayKind, Status, provisional_year
from app.domain.staff.rules import Actor, reach
from app.kernel import clock
from app.kernel.clock import business_day
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


def last_official_day(today: date) -> date | None:
    """The last date up to which official calendars tell every day from today on; alarms count down to it.

    None when no official calendar is loaded up to this year.
    """
    years = select(CalendarVersion.year).where(CalendarVersion.in_force, CalendarVersion.status == Status.OFFICIAL)
    with transaction() as session:
        known = set(session.scalars(years))
    last = max((year for year in known if year <= today.year), default=None)
    while last is not None and last >= today.year and last + 1 in known:
        last += 1
    return date(last, 12, 31) if last else None


def version_in_force(year: int) -> CalendarVersion | None:
    """The year's calendar that counts now, or None while the year is provisional by rule alone."""
    with transaction() as session:
        return session.scalar(select(CalendarVersion).where(CalendarVersion.in_force, CalendarVersion.year == year))


def days_of(version: CalendarVersion) -> list[Day]:
    """Every day of a version, in order."""
    with transaction() as session:
        rows = session.scalars(select(CalendarDay).filter_by(version_id=version.id).order_by(CalendarDay.date))
        return [_day(row, version.status) for row in rows]


@dataclass(frozen=True)
class YearView:
    """How sure a year is: `official`, `provisional` or `missing` (then provisional by rule alone), and by whom."""

    year: int
    status: str
    source_doc: str | None
    loaded_at: datetime | None
    loaded_by: int | None
    days_off: int
    makeup_days: int


MISSING = "missing"


def years(by: Actor) -> list[YearView]:
    """Every year from the first that is known to the next. Refuses `NotPermitted`."""
    counted = (
        select(
            CalendarVersion,
            func.count().filter(CalendarDay.kind == DayKind.DAYOFF),
            func.count().filter(CalendarDay.is_makeup),
        )
        .join(CalendarDay, CalendarDay.version_id == CalendarVersion.id)
        .where(CalendarVersion.in_force)
        .group_by(CalendarVersion.id)
    )
    with transaction() as session:
        reach(by, "calendars.see")
        known = {row.year: _year(row, off, makeup) for row, off, makeup in session.execute(counted)}
        this = business_day(clock.now()).year
    span = range(min([this, *known]), max([this + 1, *known]) + 1)
    return [known.get(year) or YearView(year, MISSING, None, None, None, 0, 0) for year in span]


def _year(row: CalendarVersion, days_off: int, makeup_days: int) -> YearView:
    return YearView(row.year, row.status, row.source_doc, row.created_at, row.loaded_by, days_off, makeup_days)


def year_days(by: Actor, year: int) -> list[Day]:
    """Every day of a year as the calendar in force tells it, provisional by rule when none does.

    Refuses `NotPermitted`.
    """
    with transaction():
        reach(by, "calendars.see")
        version = version_in_force(year)
        return days_of(version) if version else provisional_year(year)
