"""Which days may follow each other, as the tariffs see them: what a proof has to try, and nothing twice."""

import calendar
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import product
from typing import Final, NamedTuple

from app.domain.calendars.rules import (
    FIXED_HOLIDAYS,
    LABOUR_DAY,
    NATIONAL_DAY,
    NEW_YEAR,
    SATURDAY,
    SPRING_FESTIVAL,
    Day,
    DayKind,
    Status,
    day_classes,
    days_of_year,
)
from app.domain.pricing.rules.day_classes import Calendar, conditions_of, named_dates
from app.domain.pricing.rules.form import DAY_SECONDS
from app.domain.pricing.rules.spans import Span, day_of, moment
from app.domain.pricing.rules.tariff import Tariff

Readings = Mapping[date, tuple[Day, ...]]
"""Consecutive dates, each with every day that it may turn out to be: one when it is official, more while it is not."""

Names = frozenset[str]
DAYS: Final = 3
"""A stay of two days, begun at any second, touches so many dates."""

_SEASONS: Final[Mapping[str, tuple[tuple[int, int], tuple[int, int]]]] = {
    NEW_YEAR: ((12, 29), (1, 4)),
    SPRING_FESTIVAL: ((1, 15), (2, 28)),
    "清明节": ((4, 1), (4, 8)),
    LABOUR_DAY: ((4, 26), (5, 7)),
    "端午节": ((5, 24), (6, 28)),
    "中秋节": ((9, 5), (10, 10)),
    NATIONAL_DAY: ((9, 28), (10, 10)),
}
"""When a holiday can lie at all, with the days a notice may join to it: generous, so that a proof assumes too much."""

_MADE_UP_WITHIN: Final = 14
"""A Saturday or Sunday is worked at most so many days before or after the season of a holiday."""

_A_LEAP_YEAR: Final = 2000
"""Has every day that any year has."""

_OF_ONE_DAY: Final = frozenset({NEW_YEAR, "清明节", "端午节", "中秋节"})
"""Holidays that may be a single day off; by law all others have two or more."""


class Setting(NamedTuple):
    """Consecutive dates from `first` on: what each tariff calls each of them, and the free spans that touch them.

    Within a setting seconds are counted from the first midnight; `begin` is that midnight.
    """

    first: date
    names: tuple[tuple[Names, ...], ...]
    holes: tuple[tuple[Span, ...], ...]

    @property
    def begin(self) -> int:
        return _begin(self.first)

    def moment(self, second: int) -> datetime:
        return moment(self.begin + second)

    def calendar(self, tariff: int, first: date) -> Calendar:
        """What one tariff calls a date, `first` being that of the first day; earlier days are taken to be like it."""
        names = self.names_of(tariff)
        return lambda of: names[max((of - first).days, 0)]

    def names_of(self, tariff: int) -> tuple[Names, ...]:
        """What one tariff calls each day."""
        return tuple(day[tariff] for day in self.names)


def readings(official: Iterable[Day], until: date) -> dict[date, tuple[Day, ...]]:
    """Every date from the first official one to `until`; one that no notice tells yet may be any day."""
    known = {day.date: day for day in official if day.status is Status.OFFICIAL}
    first = min(known, default=until)
    dates = (first + timedelta(days=place) for place in range((until - first).days + 1))
    return {each: (known[each],) if each in known else unknown(each) for each in dates}


def every_date(official: Iterable[Day], until: date) -> dict[date, tuple[Day, ...]]:
    """The same, and after it a year of each sort: by the weekday on which it begins, and leap or not.

    Whatever a later calendar can produce is produced in one of these.
    """
    sorts: dict[tuple[int, bool], int] = {}
    for year in range(until.year + 1, until.year + 41):
        sorts.setdefault((date(year, 1, 1).weekday(), calendar.isleap(year)), year)
    later = {day: unknown(day) for year in sorts.values() for day in days_of_year(year)}
    return later | readings(official, until)


def unknown(of: date) -> tuple[Day, ...]:
    """Every day that a date may turn out to be before its notice is known.

    The week decides, but a holiday takes work days in its season, and Saturdays and Sundays near it may be made up for.
    """
    named = [_off(of, name) for name, season in _SEASONS.items() if _within(of, *season)]
    if (of.month, of.day) in FIXED_HOLIDAYS:
        return tuple(named)
    work = Day(of, DayKind.WORKDAY, status=Status.PROVISIONAL)
    if of.weekday() < SATURDAY:
        return (work, *named)
    return (_off(of, None), *named, *([work] if _may_be_worked(of.replace(year=_A_LEAP_YEAR)) else []))


@functools.cache
def _may_be_worked(of: date) -> bool:
    near = [of + timedelta(days=aside) for aside in range(-_MADE_UP_WITHIN, _MADE_UP_WITHIN + 1)]
    return any(_within(day, *season) for day in near for season in _SEASONS.values())


def _off(of: date, holiday: str | None) -> Day:
    return Day(of, DayKind.DAYOFF, holiday, status=Status.PROVISIONAL)


def _within(of: date, first: tuple[int, int], last: tuple[int, int]) -> bool:
    day = (of.month, of.day)
    return first <= day <= last if first <= last else day >= first or day <= last


def settings(tariffs: Sequence[Tariff], dates: Readings) -> list[Setting]:
    """Every sequence of days that the tariffs can tell apart: official dates first, the newest of them first."""
    naming = _Naming(tariffs)
    known: dict[object, Setting] = {}
    for first in _first_dates(tariffs, dates, everywhere=naming.looks_at_days):
        holes = tuple(_touching(tariff, first) for tariff in tariffs)
        for names in naming.sequences(first, dates):
            known.setdefault((names, holes), Setting(first, names, holes))
    return list(known.values())


def _first_dates(tariffs: Sequence[Tariff], dates: Readings, *, everywhere: bool) -> list[date]:
    """The dates on which a stay may begin; where days do not differ, one beside those of free spans."""
    near_holes = {
        day
        for tariff in tariffs
        for hole in tariff.free_spans
        for day in _days_near(day_of(hole.begin), day_of(hole.end))
    }
    named = {day for tariff in tariffs for told in named_dates(tariff.day_class_rule) for day in _days_near(*told)}
    usual = set(dates) | named if everywhere else set()
    official = {of for of, told in dates.items() if told[0].status is Status.OFFICIAL}
    beside = max(official or dates, default=date(2026, 6, 1))
    while beside in near_holes:
        beside -= timedelta(days=1)
    wanted = usual | near_holes | {beside}
    return [*sorted(wanted & official, reverse=True), *sorted(wanted - official)]


def _days_near(begin: date, end: date) -> Iterator[date]:
    """The dates on which a stay may begin that reaches some date from `begin` to `end`."""
    first = begin - timedelta(days=DAYS - 1)
    return (first + timedelta(days=place) for place in range((end - first).days + 1))


def _touching(tariff: Tariff, first: date) -> tuple[Span, ...]:
    begin, days = _begin(first), Span(0, DAYS * DAY_SECONDS)
    moved = [Span(hole.begin - begin, hole.end - begin).within(days) for hole in tariff.free_spans]
    return tuple(hole for hole in moved if hole.seconds)


def _begin(first: date) -> int:
    return (first - date(1970, 1, 1)).days * DAY_SECONDS


class _Naming:
    """What the tariffs may call a day, together.

    A tariff that a calendar can follow has one name for a day; one whose classes only people know has any of its names
    that the calendar does not deny. A name that such a tariff shares with another means the same to both.
    """

    def __init__(self, tariffs: Sequence[Tariff]) -> None:
        self._used = [_used_names(tariff) for tariff in tariffs]
        self._by_day = [_by_day(tariff, used) for tariff, used in zip(tariffs, self._used, strict=True)]
        self._known: dict[Day, list[tuple[Names, ...]]] = {}

    @property
    def looks_at_days(self) -> bool:
        return any(self._used)

    def sequences(self, first: date, dates: Readings) -> Iterator[tuple[tuple[Names, ...], ...]]:
        """Each way in which the tariffs may name the dates from `first` on."""
        if not self.looks_at_days:
            yield ((frozenset(),) * len(self._used),) * DAYS
            return
        following = [first + timedelta(days=place) for place in range(DAYS)]
        for days in product(*(dates.get(of) or unknown(of) for of in following)):
            if _is_possible(*days):
                yield from product(*(self._namings(day) for day in days))

    def _namings(self, day: Day) -> list[tuple[Names, ...]]:
        if day not in self._known:
            told = [tuple(names) for names in product(*(self._options(place, day) for place in range(len(self._used))))]
            alike = [names for names in told if self._agree(names)]
            self._known[day] = list(dict.fromkeys(alike or told))
        return self._known[day]

    def _options(self, place: int, day: Day) -> list[Names]:
        """Each way in which one tariff may name a day."""
        used, by_day = self._used[place], self._by_day[place]
        if by_day is not None:
            return [by_day(day) & used]
        denied = VOCABULARY - day_classes(day)
        return [frozenset({name}) for name in sorted(used - denied)] or [frozenset()]

    def _agree(self, names: Sequence[Names]) -> bool:
        """Whether a tariff that only people can follow calls the day as the others do, where they share a name."""
        return all(
            mine & used == theirs & self._used[place]
            for place, mine in enumerate(names)
            if self._by_day[place] is None
            for theirs, used in zip(names, self._used, strict=True)
        )


def _is_possible(one: Day, middle: Day, last: Day) -> bool:
    """Whether three days may follow each other; official ones do.

    No work day lies within a holiday, and none that has several days by law is a single one.
    """
    before, holiday, after = (day.holiday if day.kind is DayKind.DAYOFF else None for day in (one, middle, last))
    if middle.status is Status.OFFICIAL:
        return True
    if middle.kind is DayKind.WORKDAY:
        return before is None or before != after
    return holiday is None or holiday in _OF_ONE_DAY or before is not None or after is not None


def _used_names(tariff: Tariff) -> Names:
    rules = tariff.vehicle_classes.values()
    return frozenset(name for rule in rules for band in tariff.bands_of(rule) for name in band.days or ())


def _by_day(tariff: Tariff, used: Names) -> Callable[[Day], Names] | None:
    """How a tariff names a day, by its own rule or by the city's words; None where only people can tell."""
    if conditions_of(tariff.day_class_rule) is not None:
        return lambda day: frozenset(tariff.calendar(lambda _: day)(day.date))
    told = [used & day_classes(day) for day in _EVERY_SORT_OF_DAY]
    return day_classes if not used or all(len(names) == 1 for names in told) else None


_EVERY_SORT_OF_DAY: Final = [
    Day(date(2026, month, 20), kind, holiday)
    for month in (1, 4)
    for kind, holiday in (
        (DayKind.WORKDAY, None),
        (DayKind.DAYOFF, None),
        (DayKind.DAYOFF, NATIONAL_DAY),
        (DayKind.DAYOFF, "端午节"),
    )
]

VOCABULARY: Final = frozenset(name for day in _EVERY_SORT_OF_DAY for name in day_classes(day))
"""Every name that the city's calendar has for some day."""
