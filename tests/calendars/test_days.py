"""What a date is, and how sure."""

import subprocess
import sys
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.calendars.rules import (
    CalendarYearMissing,
    DateNotAsked,
    Day,
    DayBook,
    DayKind,
    IncompleteCalendar,
    Status,
    changed_dates,
    check_year,
    day_classes,
    days_of_year,
    promised_kind,
    provisional_day,
    provisional_year,
)
from app.domain.calendars.seeds import FIRST_YEAR, LAST_YEAR, official_year

YEAR_2026 = {day.date: day for day in official_year(2026)}
BOOK_2026 = DayBook(date(2025, 12, 25), date(2027, 1, 7), YEAR_2026)

OFF_2026 = [("01-01", "01-03"), ("02-15", "02-23"), ("04-04", "04-06"), ("05-01", "05-05")]
OFF_2026 += [("06-19", "06-21"), ("09-25", "09-27"), ("10-01", "10-07")]
MAKEUP_2026 = ["01-04", "02-14", "02-28", "05-09", "09-20", "10-10"]


def on(day: str) -> date:
    return date.fromisoformat(f"2026-{day}")


def test_2026_is_as_the_state_council_announced() -> None:
    holidays = {
        on(first) + timedelta(days=n) for first, last in OFF_2026 for n in range((on(last) - on(first)).days + 1)
    }
    assert {day.date for day in YEAR_2026.values() if day.kind is DayKind.DAYOFF and day.holiday} == holidays
    assert {day.date for day in YEAR_2026.values() if day.is_makeup} == {on(day) for day in MAKEUP_2026}
    kinds = [day.kind for day in YEAR_2026.values()]
    assert (kinds.count(DayKind.WORKDAY), kinds.count(DayKind.DAYOFF)) == (248, 117)


@pytest.mark.parametrize("day", MAKEUP_2026)
def test_a_makeup_day_bears_a_holidays_name_and_is_worked(day: str) -> None:
    told = YEAR_2026[on(day)]
    assert told.holiday
    assert told.is_weekend
    assert BOOK_2026.kind(told.date) is DayKind.WORKDAY
    assert BOOK_2026.kind_with_makeup_days_off(told.date) is DayKind.DAYOFF
    assert BOOK_2026.classes(told.date) == {"workday", "other"}


@pytest.mark.parametrize("year", range(FIRST_YEAR, LAST_YEAR + 1))
def test_every_year_that_is_known_is_whole(year: int) -> None:
    check_year(year, official_year(year))


def test_a_year_that_is_not_known_is_never_made_up_as_official() -> None:
    with pytest.raises(CalendarYearMissing):
        official_year(LAST_YEAR + 1)


def test_a_request_never_loads_the_package() -> None:
    rooms = "app.domain.calendars.queries, app.domain.calendars.actions"
    program = f"import sys, {rooms}; print('chinese_calendar' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"


dates = st.dates(date(2020, 1, 1), date(2040, 12, 31))


@given(dates)
def test_a_provisional_day_is_promised_only_what_both_readings_allow(of: date) -> None:
    day = provisional_day(of)
    assert day.status is Status.PROVISIONAL
    certain = (of.month, of.day) in {(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)}
    assert promised_kind(day) is (DayKind.DAYOFF if certain else DayKind.WORKDAY)
    assert (day.kind is DayKind.DAYOFF) == (certain or of.weekday() >= 5)


def test_2027_is_provisional_in_a_book_that_knows_2026_only() -> None:
    assert BOOK_2026.day(date(2026, 12, 31)).status is Status.OFFICIAL
    assert BOOK_2026.day(date(2027, 1, 1)) == Day(date(2027, 1, 1), DayKind.DAYOFF, "元旦", status=Status.PROVISIONAL)
    assert BOOK_2026.kind(date(2027, 1, 2)) is DayKind.WORKDAY


def test_a_book_refuses_a_date_that_it_was_not_loaded_for() -> None:
    with pytest.raises(DateNotAsked):
        BOOK_2026.kind(date(2027, 1, 8))


@pytest.mark.parametrize(
    ("day", "group"),
    [
        ("02-18", "golden_week"),
        ("10-03", "golden_week"),
        ("04-15", "other"),
        ("04-18", "short_holiday_or_peak_weekend"),
        ("05-02", "short_holiday_or_peak_weekend"),
        ("05-31", "short_holiday_or_peak_weekend"),
        ("06-01", "other"),
        ("06-06", "other"),
        ("10-10", "other"),
    ],
)
def test_the_west_lake_groups_its_days_by_holiday_and_season(day: str, group: str) -> None:
    assert group in BOOK_2026.classes(on(day))


@given(dates)
def test_the_names_of_a_day_exclude_each_other(of: date) -> None:
    classes = day_classes(provisional_day(of))
    assert len(classes & {"workday", "off"}) == 1
    assert len(classes & {"workday", "holiday", "weekend"}) == 1
    assert len(classes & {"golden_week", "short_holiday_or_peak_weekend", "other"}) == 1


def test_a_calendar_with_a_gap_a_double_or_a_stranger_is_refused() -> None:
    whole = provisional_year(2028)
    assert len(whole) == len(days_of_year(2028)) == 366
    for wrong in (whole[1:], [*whole, whole[0]], [*whole, provisional_day(date(2029, 1, 1))]):
        with pytest.raises(IncompleteCalendar):
            check_year(2028, wrong)


def test_loading_a_notice_names_the_dates_whose_kind_changes() -> None:
    changed = changed_dates(provisional_year(2026), official_year(2026))
    assert on("02-16") in changed
    assert on("02-14") in changed
    assert on("01-01") not in changed
