"""What a date is: work day or day off, which holiday, how sure, and the classes that tariffs know it by."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from app.kernel.refusals import Invalid


class DayKind(StrEnum):
    """Whether offices work on a date."""

    WORKDAY = "workday"
    DAYOFF = "dayoff"


class Status(StrEnum):
    """How sure a year's calendar is: by the State Council's notice, or by weekdays and fixed dates alone (暂定)."""

    OFFICIAL = "official"
    PROVISIONAL = "provisional"


@dataclass(frozen=True)
class Day:
    """One date of a calendar. `holiday` is the Chinese name of the holiday it belongs to, a make-up day included."""

    date: date
    kind: DayKind
    holiday: str | None = None
    is_makeup: bool = False
    status: Status = Status.OFFICIAL

    @property
    def is_weekend(self) -> bool:
        """Saturday or Sunday by the week, whether worked or not."""
        return self.date.weekday() >= SATURDAY


class IncompleteCalendar(Invalid):
    """A calendar must tell every date of its year once; details: `missing`, `twice`, `strange`."""

    code = "incomplete_calendar"
    message = "日历须包含全年每一天且不得重复"


class CalendarYearMissing(Invalid):
    """No official calendar tells the days of this year; details: `year`."""

    code = "calendar_year_missing"
    message = "没有该年份的正式日历"


SATURDAY: Final = 5
NEW_YEAR: Final = "元旦"
LABOUR_DAY: Final = "劳动节"
NATIONAL_DAY: Final = "国庆节"
SPRING_FESTIVAL: Final = "春节"
FIXED_HOLIDAYS: Final[Mapping[tuple[int, int], str]] = {
    (1, 1): NEW_YEAR,
    (5, 1): LABOUR_DAY,
    (5, 2): LABOUR_DAY,
    (10, 1): NATIONAL_DAY,
    (10, 2): NATIONAL_DAY,
    (10, 3): NATIONAL_DAY,
}


def provisional_day(of: date) -> Day:
    """A date of a year whose notice is not known: the week and the statutory days that have a fixed date."""
    holiday = FIXED_HOLIDAYS.get((of.month, of.day))
    is_off = holiday is not None or of.weekday() >= SATURDAY
    return Day(of, DayKind.DAYOFF if is_off else DayKind.WORKDAY, holiday, status=Status.PROVISIONAL)


def promised_kind(day: Day) -> DayKind:
    """The kind on which a promise may rest: closed-safe while the calendar is provisional.

    A Saturday may yet be worked and a Monday be off, so an uncertain day is treated as a work day:
    what is open then is open under both readings. Fixed statutory days are certain.
    """
    if day.status is Status.OFFICIAL or (day.date.month, day.date.day) in FIXED_HOLIDAYS:
        return day.kind
    return DayKind.WORKDAY


class DateNotAsked(LookupError):
    """Raised to a programmer who asks a day book for a date outside the span it was loaded for."""


@dataclass(frozen=True)
class DayBook:
    """The dates from `first` to `last`, both included; one that no calendar in force tells is provisional."""

    first: date
    last: date
    days: Mapping[date, Day]

    def day(self, of: date) -> Day:
        if not self.first <= of <= self.last:
            raise DateNotAsked(f"{of} is not between {self.first} and {self.last}")
        return self.days.get(of) or provisional_day(of)

    def kind(self, of: date) -> DayKind:
        """The kind on which a promise may rest; open hours are derived from it (N2.2.1)."""
        return promised_kind(self.day(of))

    def is_provisional(self, of: date) -> bool:
        """Whether no official calendar tells the date yet (暂定)."""
        return self.day(of).status is Status.PROVISIONAL

    def kind_with_makeup_days_off(self, of: date) -> DayKind:
        """The other reading of N2.2.1: a make-up work day is a day off for this unit."""
        return DayKind.DAYOFF if self.day(of).is_makeup else self.kind(of)

    def classes(self, of: date) -> frozenset[str]:
        """The names under which tariffs speak of the date."""
        return day_classes(self.day(of))


GOLDEN_HOLIDAYS: Final = frozenset({NATIONAL_DAY, SPRING_FESTIVAL})
PEAK_SEASONS: Final = (((3, 15), (5, 31)), ((9, 15), (11, 30)))


def day_classes(day: Day) -> frozenset[str]:
    """All names that tariffs use for such a day; one tariff uses names that exclude each other.

    `workday` | `off` = `offday` = `nonworkday`; among days off `holiday` | `weekend`; and the West Lake's
    `golden_week` | `short_holiday_or_peak_weekend` | `other`.
    """
    if day.kind is DayKind.WORKDAY:
        return frozenset({"workday", west_lake_class(day)})
    kind_of_rest = "holiday" if day.holiday else "weekend"
    return frozenset({"off", "offday", "nonworkday", kind_of_rest, west_lake_class(day)})


def west_lake_class(day: Day) -> str:
    """The West Lake scenic area's own class of a day; a Saturday that is worked is no weekend (双休日)."""
    if day.kind is DayKind.WORKDAY:
        return "other"
    if day.holiday in GOLDEN_HOLIDAYS:
        return "golden_week"
    in_season = any(begin <= (day.date.month, day.date.day) <= end for begin, end in PEAK_SEASONS)
    return "short_holiday_or_peak_weekend" if day.holiday or in_season else "other"


def days_of_year(year: int) -> list[date]:
    """Every date of a year in order."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    return [first + timedelta(days=place) for place in range((last - first).days + 1)]


def provisional_year(year: int) -> list[Day]:
    """The provisional calendar of a whole year."""
    return [provisional_day(of) for of in days_of_year(year)]


def check_year(year: int, days: Iterable[Day]) -> None:
    """Raises IncompleteCalendar unless the days are the year's, each told once."""
    told = [day.date for day in days]
    expected, seen = set(days_of_year(year)), set(told)
    if len(told) == len(seen) and seen == expected:
        return
    raise IncompleteCalendar(
        missing=sorted(map(str, expected - seen)),
        strange=sorted(map(str, seen - expected)),
        twice=len(told) - len(seen),
    )


def changed_dates(before: Iterable[Day], after: Iterable[Day]) -> list[date]:
    """The dates whose kind or promise differs, so that windows and reservations on them must be looked at again."""
    known = {day.date: (day.kind, promised_kind(day)) for day in before}
    return [day.date for day in after if known.get(day.date) not in {None, (day.kind, promised_kind(day))}]


ALARM_DAYS: Final = (60, 30, 14)


def alarm_due(today: date, last: date) -> int | None:
    """The alarm that counts today, by its days before the last official one; None while there is time."""
    left = (last - today).days
    return min((days for days in ALARM_DAYS if left <= days), default=None)
