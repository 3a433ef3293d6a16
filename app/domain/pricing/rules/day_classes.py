"""How the class of a date is found: conditions on the day, tried in their order, so that no person has to look it up.

A rule in words alone, as many published texts have it, leaves the class to whoever asks (`day_classes`).
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeVar

from app.domain.calendars.rules import Day, DayKind, day_classes
from app.domain.pricing.rules.form import Form, InvalidTariff, Read, Senseless, list_of, map_of, one_of, whole, word
from app.kernel.refusals import Invalid

T = TypeVar("T")
Calendar = Callable[[date], str | Collection[str]]
"""Tells the day classes of a date, under the names that a tariff's bands use."""
DayOf = Callable[[date], Day]
"""Tells what a date is by the city's calendar."""

MonthDay = tuple[int, int]


class DayClassesMissing(Invalid):
    """The price depends on the class of a date, which neither a rule nor anybody tells; details: `date`."""

    code = "day_classes_missing"
    message = "该收费标准按日期类别计价，须提供day_classes或可计算的day_class_rule"


class DayClassMissing(Invalid):
    """The classes of some dates are told, but not that of a date on which the price depends; details: `date`."""

    code = "day_class_missing"
    message = "day_classes中缺少停车期间的日期"


@dataclass(frozen=True)
class Condition:
    """What a day must be: everything that is told must hold; `otherwise` holds on every day."""

    kind: DayKind | None = None
    holiday: bool | frozenset[str] | None = None
    weekdays: frozenset[int] | None = None
    season: tuple[tuple[MonthDay, MonthDay], ...] | None = None
    dates: tuple[tuple[date, date], ...] | None = None
    any_of: "tuple[Condition, ...] | None" = None

    @property
    def is_otherwise(self) -> bool:
        """Whether it holds on every day."""
        return self == Condition()

    @property
    def asks_for_official_days(self) -> bool:
        """Whether it looks at more than the date: only an official calendar tells work days and holidays."""
        inner = any(condition.asks_for_official_days for condition in self.any_of or ())
        return inner or self.kind is not None or self.holiday is not None

    @property
    def named_dates(self) -> "tuple[tuple[date, date], ...]":
        inner = (dates for condition in self.any_of or () for dates in condition.named_dates)
        return (*(self.dates or ()), *inner)

    @classmethod
    def read(cls, value: object, where: str) -> "Condition":
        form = Form(value, where)
        if form.has("otherwise"):
            form.take("otherwise", _true)
            form.close()
            return cls()
        condition = cls(
            form.take_or("kind", _read_kind, None),
            form.take_or("holiday", _read_holiday, None),
            form.take_or("weekdays", _set_of(whole(1, 7)), None),
            form.take_or("season", list_of(_range_of(_month_day)), None),
            form.take_or("dates", list_of(_range_of(_date)), None),
            form.take_or("any", list_of(cls.read), None),
        )
        form.close()
        return condition.checked(where)

    def checked(self, where: str) -> "Condition":
        if self.is_otherwise:
            raise InvalidTariff(where, "须至少写明一个条件")
        if any(last < first for first, last in self.dates or ()):
            raise Senseless(f"{where}.dates", "起始日期不得晚于截止日期")
        return self

    def holds(self, day: Day) -> bool:
        """Whether the day is such a one. A make-up work day belongs to no holiday, though it is named after one."""
        return (
            (self.kind is None or day.kind is self.kind)
            and (self.holiday is None or _is_holiday(self.holiday, day))
            and (self.weekdays is None or day.date.isoweekday() in self.weekdays)
            and (self.season is None or any(_in_season(day.date, *season) for season in self.season))
            and (self.dates is None or any(first <= day.date <= last for first, last in self.dates))
            and (self.any_of is None or any(condition.holds(day) for condition in self.any_of))
        )


def _is_holiday(wanted: bool | frozenset[str], day: Day) -> bool:
    name = day.holiday if day.kind is DayKind.DAYOFF else None
    return name in wanted if isinstance(wanted, frozenset) else wanted == (name is not None)


def _in_season(of: date, first: MonthDay, last: MonthDay) -> bool:
    """Both ends included; a season whose first day is later than its last runs over the new year."""
    at = of.month, of.day
    return first <= at <= last if first <= last else at >= first or at <= last


DayClassRule = Mapping[str, Condition | str]
"""By class, in the order in which they are tried: a condition, or words for people."""


def read_rule(value: object, where: str) -> DayClassRule:
    """Each class with its condition or its words."""
    return map_of(_read_class)(value, where)


def _read_class(value: object, where: str) -> Condition | str:
    return word(value, where) if isinstance(value, str) else Condition.read(value, where)


def calendar_by(rule: DayClassRule, day_of: DayOf) -> Calendar:
    """The calendar of a tariff: by its own rule if conditions tell every class, else by the city's vocabulary."""
    conditions = conditions_of(rule)
    if conditions is None:
        return lambda of: day_classes(day_of(of))
    return lambda of: _first_class(conditions, day_of(of))


def asks_for_official_days(rule: DayClassRule) -> bool | None:
    """Whether following the rule takes an official calendar; None when no machine can follow it."""
    conditions = conditions_of(rule)
    return None if conditions is None else any(each.asks_for_official_days for each in conditions.values())


def conditions_of(rule: DayClassRule) -> Mapping[str, Condition] | None:
    """The rule if a machine can follow it: every class has a condition."""
    conditions = {name: told for name, told in rule.items() if isinstance(told, Condition)}
    return conditions if conditions and len(conditions) == len(rule) else None


def named_dates(rule: DayClassRule) -> list[tuple[date, date]]:
    """Every range of dates, both ends included, that the rule's conditions name one by one."""
    told = [condition for condition in rule.values() if isinstance(condition, Condition)]
    return [dates for condition in told for dates in condition.named_dates]


def _first_class(conditions: Mapping[str, Condition], day: Day) -> Collection[str]:
    return next(((name,) for name, condition in conditions.items() if condition.holds(day)), ())


_KINDS: Final = {"workday": DayKind.WORKDAY, "off": DayKind.DAYOFF}


def _read_kind(value: object, where: str) -> DayKind:
    return _KINDS[one_of(*_KINDS)(value, where)]


def _read_holiday(value: object, where: str) -> bool | frozenset[str]:
    return value if isinstance(value, bool) else _set_of(word)(value, where)


def _true(value: object, where: str) -> bool:
    if value is not True:
        raise InvalidTariff(where, "须为true")
    return value


def _set_of(read: Read[T]) -> Read[frozenset[T]]:
    read_list = list_of(read)
    return lambda value, where: frozenset(read_list(value, where))


def _range_of(read: Read[T]) -> Read[tuple[T, T]]:
    def read_range(value: object, where: str) -> tuple[T, T]:
        form = Form(value, where)
        ends = form.take("from", read), form.take("to", read)
        form.close()
        return ends

    return read_range


def _month_day(value: object, where: str) -> MonthDay:
    """`03-15`; 29 February is a day of a year that has one."""
    told = _date_of(f"2000-{word(value, where)}", where)
    return told.month, told.day


def _date(value: object, where: str) -> date:
    """`2026-06-01`."""
    return _date_of(word(value, where), where)


def _date_of(text: str, where: str) -> date:
    if not _DATE.fullmatch(text):
        raise InvalidTariff(where, "须为2026-06-01或06-01形式的日期")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Senseless(where, "没有这样的日期") from None


_DATE: Final = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])", re.ASCII)
