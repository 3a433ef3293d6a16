"""Which days may follow each other: what the calendars can produce, all of it, and nothing else."""

from datetime import date, timedelta
from typing import Any

import pytest

from app.domain.calendars.rules import Day, DayKind, Status, days_of_year
from app.domain.calendars.seeds import FIRST_YEAR, LAST_YEAR, official_year
from app.domain.pricing.rules import Tariff
from app.domain.pricing.rules.proofs import every_date, prove, readings
from app.domain.pricing.rules.proofs.dates import settings, unknown
from tests.pricing.small_tariffs import JUNE, all_day, hourly, per_visit, plain_week, stepped, tariff

HOUR = 3600
DAY = timedelta(days=1)
WEEKEND = {day: told for day, told in plain_week(date(2026, 6, 5), 3).items() if day.weekday() >= 4}
OLD_LAW = {"05-02"}
"""Until 2024 the second day of May was none by law."""


def by_class(*names: str, rule: dict[str, Any] | None = None) -> Tariff:
    """One price for each class of day; the first is the cheapest."""
    bands = [all_day(per_visit(100 + place), [name], name) for place, name in enumerate(names)]
    return tariff(*bands, day_class_rule=rule or {})


def sequences(*tariffs: Tariff, dates: Any = JUNE) -> set[tuple[str, ...]]:
    """What the first tariff may call three days in a row."""
    return {tuple("/".join(sorted(day)) for day in each.names_of(0)) for each in settings(tariffs, dates)}


def kinds(days: tuple[Day, ...]) -> set[tuple[DayKind, str | None]]:
    return {(day.kind, day.holiday if day.kind is DayKind.DAYOFF else None) for day in days}


def test_before_its_notice_a_work_day_may_be_taken_by_a_holiday_and_a_weekend_be_made_up_for() -> None:
    work, rest, spring = (DayKind.WORKDAY, None), (DayKind.DAYOFF, None), (DayKind.DAYOFF, "春节")
    assert kinds(unknown(date(2027, 2, 1))) == {work, spring}
    assert kinds(unknown(date(2027, 2, 6))) == {work, rest, spring}
    assert kinds(unknown(date(2027, 7, 7))) == {work}
    assert kinds(unknown(date(2027, 7, 31))) == {rest}
    assert kinds(unknown(date(2027, 1, 1))) == {(DayKind.DAYOFF, "元旦")}
    assert kinds(unknown(date(2028, 10, 3))) == {(DayKind.DAYOFF, "国庆节"), (DayKind.DAYOFF, "中秋节")}


def test_every_official_day_is_one_that_its_date_might_have_turned_out_to_be() -> None:
    official = [day for year in range(FIRST_YEAR, LAST_YEAR + 1) for day in official_year(year)]
    strange = [day.date for day in official if not kinds((day,)) <= kinds(unknown(day.date))]
    assert {day for day in strange if str(day)[5:] not in OLD_LAW} == {date(2015, 9, 3), date(2015, 9, 4)}


def test_what_is_official_is_read_in_one_way_and_later_dates_in_every_way() -> None:
    official = [Day(date(2026, 12, 30) + timedelta(days=place), DayKind.WORKDAY) for place in range(2)]
    dates = readings(official, date(2027, 2, 1))
    assert kinds(dates[date(2026, 12, 31)]) == {(DayKind.WORKDAY, None)}
    assert [day.holiday for day in dates[date(2027, 1, 1)]] == ["元旦"]
    assert dates[date(2027, 2, 1)] == unknown(date(2027, 2, 1))


def test_dates_reach_from_the_first_official_one_to_the_last_that_was_asked_for() -> None:
    until = date(2027, 1, 3)
    assert readings([], until) == {until: unknown(until)}
    official = [Day(date(2026, 12, 30), DayKind.WORKDAY)]
    dates = sorted(readings(official, until))
    assert (dates[0], dates[-1], len(dates)) == (date(2026, 12, 30), until, 5)


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [((12, 29), (1, 4), "元旦"), ((1, 15), (2, 28), "春节"), ((4, 1), (4, 8), "清明节"), ((9, 28), (10, 10), "国庆节")],
)
def test_a_holidays_season_has_both_ends(first: tuple[int, int], last: tuple[int, int], name: str) -> None:
    begin, end = date(2027, *first), date(2027, *last)
    told = [name in {day.holiday for day in unknown(day)} for day in (begin, end)]
    beside = [name in {day.holiday for day in unknown(day)} for day in (begin - DAY, end + DAY)]
    assert (told, beside) == ([True, True], [False, False])


def test_every_reading_of_a_later_day_is_provisional() -> None:
    told = [day for of in (date(2027, 2, 1), date(2027, 2, 6), date(2027, 7, 7)) for day in unknown(of)]
    assert {day.status for day in told} == {Status.PROVISIONAL}


def test_a_free_span_is_looked_at_from_each_day_whose_stays_can_reach_it() -> None:
    begin, end = "2026-06-10T10:00:00+08:00", "2026-06-10T12:00:00+08:00"
    free = tariff(all_day(stepped(300)), overrides=[{"kind": "free", "from": begin, "to": end}])
    touched = {each.first for each in settings([free], JUNE) if any(each.holes)}
    assert touched == {date(2026, 6, 8), date(2026, 6, 9), date(2026, 6, 10)}


def test_a_file_is_proved_for_years_that_begin_on_any_weekday_leap_or_not() -> None:
    dates = every_date(plain_week(date(2026, 12, 1), 31)[date(2026, 12, 1)], date(2026, 12, 31))
    later = {(day.weekday(), (day + timedelta(days=365)).month) for day in dates if (day.month, day.day) == (1, 1)}
    assert len(later) == 14
    assert min(dates) == date(2026, 12, 1)
    whole = {day.year for day in dates if day.year > 2026}
    assert min(whole) == 2027
    assert all(day in dates for year in whole for day in days_of_year(year))


@pytest.mark.slow
def test_a_sequence_that_only_a_later_year_has_is_found() -> None:
    """The first of March is a Wednesday after a leap day in few years; no official calendar has it."""
    rule = {"leap": {"season": [{"from": "02-29", "to": "02-29"}], "weekdays": [2]}, "rest": {"otherwise": True}}
    own = tariff(all_day(stepped(300), ["leap"], "l"), all_day(stepped(100), ["rest"], "r"), day_class_rule=rule)
    official = [day for year in range(FIRST_YEAR, LAST_YEAR + 1) for day in official_year(year)]
    assert prove(own, [hourly(200)], readings(official, date(LAST_YEAR, 12, 31)), horizon_s=1).holds
    case = prove(own, [hourly(200)], every_date(official, date(LAST_YEAR, 12, 31)), horizon_s=1).counterexample
    assert case is not None
    assert (case.entry.month, case.entry.day, case.entry.isoweekday()) == (2, 29, 2)


def test_no_holiday_is_interrupted_by_work_and_none_of_several_days_stands_alone() -> None:
    dates = {date(2027, 2, 1) + timedelta(days=place): unknown(date(2027, 2, 1) + timedelta(days=place))
             for place in range(20)}  # fmt: skip
    rule = {"spring": {"holiday": ["春节"]}, "work": {"kind": "workday"}, "rest": {"otherwise": True}}
    found = sequences(by_class("spring", "work", "rest", rule=rule), dates=dates)
    assert ("work", "spring", "spring") in found
    assert ("spring", "work", "spring") not in found
    assert ("work", "spring", "work") not in found
    assert ("work", "rest", "rest") in found


def test_a_holiday_of_one_day_may_stand_alone() -> None:
    dates = {date(2027, 4, 1) + place * DAY: unknown(date(2027, 4, 1) + place * DAY) for place in range(9)}
    rule = {"tomb": {"holiday": ["清明节"]}, "work": {"kind": "workday"}, "rest": {"otherwise": True}}
    found = sequences(by_class("tomb", "work", "rest", rule=rule), dates=dates)
    assert ("work", "tomb", "work") in found


def test_a_tariff_in_words_frees_no_other_tariff_from_its_calendar() -> None:
    named, in_words = by_class("workday", "off"), by_class("market", "quiet")
    assert sequences(named, in_words) == sequences(named)
    pairs = {each.names[0] for each in settings([named, in_words], JUNE)}
    assert len(pairs) == 4


def test_names_that_only_people_know_follow_each_other_in_any_order() -> None:
    assert len(sequences(by_class("market", "quiet"))) == 8


def test_a_name_of_the_citys_calendar_is_denied_where_the_calendar_denies_it() -> None:
    """A work day may be a market day, but a Saturday is no work day."""
    found = sequences(by_class("workday", "market"))
    assert {day for each in found for day in each} == {"workday", "market"}
    assert ("market", "market", "workday") in found
    assert all("market" in each for each in sequences(by_class("workday", "market"), dates=WEEKEND))


def test_a_name_that_two_tariffs_share_means_the_same_to_both() -> None:
    named, in_words = by_class("workday", "off"), by_class("workday", "market")
    days = {day for each in settings([named, in_words], JUNE) for day in each.names}
    assert (frozenset({"off"}), frozenset({"workday"})) not in days
    assert (frozenset({"off"}), frozenset({"market"})) in days
    assert prove(in_words, [named], JUNE, horizon_s=HOUR).holds


@pytest.mark.parametrize("name", ["weekend", "holiday"])
def test_where_names_cannot_agree_none_is_left_out(name: str) -> None:
    """A rule by conditions may use a city's word for days that the city's calendar calls otherwise."""
    odd = by_class(name, "rest", rule={name: {"weekdays": [3]}, "rest": {"otherwise": True}})
    in_words = by_class(name, "market")
    assert (frozenset({name}), frozenset({"market"})) in {
        day for each in settings([odd, in_words], JUNE) for day in each.names
    }
