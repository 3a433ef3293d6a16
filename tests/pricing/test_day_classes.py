"""How a machine finds the class of a date: conditions one by one, then in order."""

from datetime import date, timedelta
from typing import Any

import pytest

from app.domain.calendars.rules import Day, DayKind, west_lake_class
from app.domain.calendars.seeds import official_day
from app.domain.pricing import published
from app.domain.pricing.rules import InvalidTariff, Tariff, asks_for_official_days
from app.domain.pricing.rules.day_classes import Condition, read_rule
from app.domain.pricing.rules.form import Senseless

WORKED = Day(date(2026, 6, 3), DayKind.WORKDAY)
SATURDAY = Day(date(2026, 6, 6), DayKind.DAYOFF)
NATIONAL = Day(date(2026, 10, 1), DayKind.DAYOFF, "国庆节")
DRAGON = Day(date(2026, 6, 19), DayKind.DAYOFF, "端午节")
MAKEUP = Day(date(2026, 10, 10), DayKind.WORKDAY, "国庆节", is_makeup=True)
ALL = (WORKED, SATURDAY, NATIONAL, DRAGON, MAKEUP)


def holding(**told: Any) -> list[Day]:
    condition = Condition.read(told, "rule")
    return [day for day in ALL if condition.holds(day)]


def test_a_condition_asks_for_everything_that_it_tells() -> None:
    assert holding(kind="workday") == [WORKED, MAKEUP]
    assert holding(kind="off") == [SATURDAY, NATIONAL, DRAGON]
    assert holding(holiday=True) == [NATIONAL, DRAGON]
    assert holding(holiday=False) == [WORKED, SATURDAY, MAKEUP]
    assert holding(holiday=["国庆节", "春节"]) == [NATIONAL]
    assert holding(weekdays=[6]) == [SATURDAY, MAKEUP]
    assert holding(weekdays=[3, 4, 5]) == [WORKED, NATIONAL, DRAGON]
    assert holding(kind="off", weekdays=[6]) == [SATURDAY]
    assert holding(any=[{"weekdays": [3]}, {"holiday": ["端午节"]}]) == [WORKED, DRAGON]
    assert holding(any=[{"weekdays": [3]}, {"weekdays": [6]}], kind="off") == [SATURDAY]
    assert holding(otherwise=True) == list(ALL)


def days_holding(first: str, last: str, **told: Any) -> list[str]:
    """The days of a span on which a condition begins or ceases to hold."""
    condition, day, changes, held = Condition.read(told, "rule"), date.fromisoformat(first), [], False
    while day <= date.fromisoformat(last):
        holds = condition.holds(Day(day, DayKind.WORKDAY))
        changes += [str(day)] if holds is not held else []
        day, held = day + timedelta(days=1), holds
    return changes


def test_seasons_and_dates_have_both_ends_and_a_season_may_run_over_the_new_year() -> None:
    year = "2025-12-30", "2026-12-31"
    spring = days_holding(*year, season=[{"from": "03-15", "to": "05-31"}])
    assert spring == ["2026-03-15", "2026-06-01"]
    winter = days_holding(*year, season=[{"from": "12-31", "to": "01-02"}])
    assert winter == ["2025-12-31", "2026-01-03", "2026-12-31"]
    fair = days_holding(
        *year, dates=[{"from": "2026-11-05", "to": "2026-11-05"}, {"from": "2026-12-01", "to": "2026-12-03"}]
    )
    assert fair == ["2026-11-05", "2026-11-06", "2026-12-01", "2026-12-04"]
    leap = days_holding("2028-02-28", "2028-03-02", season=[{"from": "02-29", "to": "02-29"}])
    assert leap == ["2028-02-29", "2028-03-01"]


def lake(rule: Any = None) -> Tariff:
    parameters = published.read("HZ-WESTLAKE").parameters
    return Tariff.load({**parameters, "day_class_rule": rule or parameters["day_class_rule"]})


def test_the_west_lakes_rule_names_every_day_of_three_years_as_the_citys_calendar_does() -> None:
    calendar = lake().calendar(official_day)
    first = date(2024, 1, 1)
    days = [first + timedelta(days=place) for place in range(366 + 365 + 365)]
    assert [calendar(day) for day in days] == [(west_lake_class(official_day(day)),) for day in days]


def test_the_first_condition_that_holds_names_the_day_and_none_leaves_it_nameless() -> None:
    rule = {
        "golden_week": {"kind": "off"},
        "short_holiday_or_peak_weekend": {"holiday": True},
        "other": {"weekdays": [3]},
    }
    calendar = lake(rule).calendar(lambda of: next(day for day in ALL if day.date == of))
    assert [calendar(day.date) for day in ALL] == [("other",), *[("golden_week",)] * 3, ()]


def test_words_leave_the_class_to_the_citys_calendar_even_beside_conditions() -> None:
    for rule in ({}, {"golden_week": "国庆"}, {"golden_week": "国庆", "other": {"otherwise": True}}):
        told = {**lake().parameters, "day_class_rule": rule}
        assert "workday" in Tariff.load(told).calendar(lambda _: WORKED)(WORKED.date)


def asks(rule: Any) -> bool | None:
    return asks_for_official_days(read_rule(rule, "rule"))


def test_only_work_days_and_holidays_take_an_official_calendar() -> None:
    assert asks({"a": "平日"}) is None
    assert asks({}) is None
    assert asks({"a": {"weekdays": [1]}, "b": {"otherwise": True}}) is False
    assert asks({"a": {"weekdays": [1]}, "b": {"kind": "off"}}) is True
    assert asks({"a": {"any": [{"weekdays": [1]}, {"holiday": False}]}}) is True


@pytest.mark.parametrize(
    ("told", "where"),
    [
        ({}, "rule.a"),
        ({"kind": "holiday"}, "rule.a.kind"),
        ({"holiday": []}, "rule.a.holiday"),
        ({"weekdays": [0]}, "rule.a.weekdays[0]"),
        ({"weekdays": [8]}, "rule.a.weekdays[0]"),
        ({"season": [{"from": "3-15", "to": "05-31"}]}, "rule.a.season[0].from"),
        ({"season": [{"from": "03-15"}]}, "rule.a.season[0].to"),
        ({"dates": [{"from": "2026-01-01", "to": "20260102"}]}, "rule.a.dates[0].to"),
        ({"any": [{"kind": "off"}, {}]}, "rule.a.any[1]"),
        ({"otherwise": False}, "rule.a.otherwise"),
        ({"otherwise": True, "kind": "off"}, "rule.a.kind"),
        ({"color": 1, "kind": "off"}, "rule.a.color"),
        (7, "rule.a"),
    ],
)
def test_a_wrong_condition_is_refused_at_its_place(told: Any, where: str) -> None:
    with pytest.raises(InvalidTariff) as refused:
        read_rule({"a": told}, "rule")
    assert type(refused.value) is InvalidTariff
    assert refused.value.details["where"] == where


@pytest.mark.parametrize(
    ("told", "where"),
    [
        ({"season": [{"from": "02-30", "to": "05-31"}]}, "rule.a.season[0].from"),
        ({"dates": [{"from": "2026-02-29", "to": "2026-03-01"}]}, "rule.a.dates[0].from"),
        ({"dates": [{"from": "2026-03-02", "to": "2026-03-01"}]}, "rule.a.dates"),
    ],
)
def test_days_that_cannot_be_are_senseless(told: Any, where: str) -> None:
    with pytest.raises(Senseless) as refused:
        read_rule({"a": told}, "rule")
    assert refused.value.details["where"] == where
