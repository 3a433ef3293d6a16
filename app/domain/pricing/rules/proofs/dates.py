"""Which days may follow each other, as the tariffs see them: what a proof has to try, and nothing twice."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import product
from typing import Final, NamedTuple

from app.domain.calendars.rules import (
    FIXED_HOLIDAYS,
    LABOUR_DAY,
    NATIONAL_DAY,
    NEW_YEAR,
    SPRING_FESTIVAL,
    Day,
    DayKind,
    Status,
    day_classes,
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


def unknown(of: date) -> tuple[Day, ...]:
    """Every day that a date may turn out to be before its notice is known."""
    fixed = FIXED_HOLIDAYS.get((of.month, of.day))
    if fixed is not None:
        return (_off(of, fixed),)
    named = [name for name, season in _SEASONS.items() if _within(of, *season)]
    return (Day(of, DayKind.WORKDAY, status=Status.PROVISIONAL), *(_off(of, name) for name in (None, *named)))


def _off(of: date, holiday: str | None) -> Day:
    return Day(of, DayKind.DAYOFF, holiday, status=Status.PROVISIONAL)


def _within(of: date, first: tuple[int, int], last: tuple[int, int]) -> bool:
    day = (of.month, of.day)
    return first <= day <= last if first <= last else day >= first or day <= last


def settings(tariffs: Sequence[Tariff], dates: Readings) -> list[Setting]:
    """Every sequence of days that the tariffs can tell apart, the newest dates first."""
    naming = _Naming(tariffs)
    known: dict[object, Setting] = {}
    for first in _first_dates(tariffs, dates, everywhere=naming.looks_at_days):
        holes = tuple(_touching(tariff, first) for tariff in tariffs)
        for names in product(*(naming.options(first + timedelta(days=place), dates) for place in range(DAYS))):
            known.setdefault((names, holes), Setting(first, names, holes))
    return list(known.values())


def _first_dates(tariffs: Sequence[Tariff], dates: Readings, *, everywhere: bool) -> list[date]:
    """The dates on which a stay may begin, newest first; where days do not differ, one beside those of free spans."""
    near_holes = {
        day
        for tariff in tariffs
        for hole in tariff.free_spans
        for day in _days_near(day_of(hole.begin), day_of(hole.end))
    }
    named = {day for tariff in tariffs for told in named_dates(tariff.day_class_rule) for day in _days_near(*told)}
    usual = set(dates) | named if everywhere else set()
    beside = max(dates, default=date(2026, 6, 1))
    while beside in near_holes:
        beside -= timedelta(days=1)
    return sorted(usual | near_holes | {beside}, reverse=True)


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
    """What the tariffs may call a date, together: by the calendar, or freely where only people know the classes."""

    def __init__(self, tariffs: Sequence[Tariff]) -> None:
        self._used = [_used_names(tariff) for tariff in tariffs]
        self._by_day = [_by_day(tariff, used) for tariff, used in zip(tariffs, self._used, strict=True)]
        self._free = [list(names) for names in _free_namings(self._used)] if None in self._by_day else None

    @property
    def looks_at_days(self) -> bool:
        return any(self._used) and self._free is None

    def options(self, of: date, dates: Readings) -> list[tuple[Names, ...]]:
        """Each way in which the tariffs may name the date, without repetition."""
        if self._free is not None:
            return [tuple(names) for names in self._free]
        if not any(self._used):
            return [tuple(frozenset() for _ in self._used)]
        days = dates.get(of) or unknown(of)
        return list(dict.fromkeys(tuple(self._names(place, day) for place in range(len(self._used))) for day in days))

    def _names(self, place: int, day: Day) -> Names:
        name = self._by_day[place]
        return frozenset() if name is None else name(day) & self._used[place]


def _used_names(tariff: Tariff) -> Names:
    rules = tariff.vehicle_classes.values()
    return frozenset(name for rule in rules for band in tariff.bands_of(rule) for name in band.days or ())


def _by_day(tariff: Tariff, used: Names) -> Callable[[Day], Names] | None:
    """How a tariff names a day, by its own rule or by the city's words; None where only people can tell."""
    if conditions_of(tariff.day_class_rule) is not None:
        return lambda day: frozenset(tariff.calendar(lambda _: day)(day.date))
    told = [used & day_classes(day) for day in _EVERY_SORT_OF_DAY]
    return day_classes if not used or all(len(names) == 1 for names in told) else None


def _free_namings(used: Sequence[Names]) -> Iterator[tuple[Names, ...]]:
    """Each tariff has one of its names for a day; a name that two tariffs share means the same to both."""
    for names in product(*(sorted(mine) or [""] for mine in used)):
        if all(name not in mine or name == own for name in names for own, mine in zip(names, used, strict=True)):
            yield tuple(frozenset({name} - {""}) for name in names)


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
