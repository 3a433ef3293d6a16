"""The window of the notice (N2.2.1) from office hours and the work-day calendar."""

from datetime import date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.calendars.rules import DayBook, DayKind, provisional_day
from app.domain.calendars.seeds import official_year
from app.domain.lots.rules import (
    Hours,
    HoursMakeNoSense,
    OfficeHours,
    Readings,
    Span,
    closing_after,
    is_open,
    next_opening,
    open_windows,
    today_text,
)
from app.kernel.clock import SHANGHAI

DAYS = {day.date: day for year in (2025, 2026) for day in official_year(year)}
KIND = DayBook(date(2025, 1, 1), date(2027, 12, 31), DAYS).kind
OFFICE = OfficeHours(Hours(time(9), time(17, 30)))


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("instant", "open_then"),
    [
        ("01-04 12:00", False),
        ("02-13 18:29", False),
        ("02-13 18:29:59", False),
        ("02-13 18:30", True),
        ("02-14 12:00", False),
        ("02-15 12:00", True),
        ("02-23 23:59", True),
        ("02-24 07:59", True),
        ("02-24 07:59:59", True),
        ("02-24 08:00", False),
        ("05-05 15:00", True),
        ("05-09 10:00", False),
        ("09-20 10:00", False),
        ("09-25 10:00", True),
        ("10-07 23:00", True),
        ("10-08 08:30", False),
        ("10-10 12:00", False),
        ("02-28 09:00", False),
    ],
)
def test_the_state_at_an_instant_follows_the_work_day_calendar(instant: str, open_then: bool) -> None:
    assert is_open(OFFICE, KIND, at(instant)) is open_then


def test_a_unit_is_open_6156_of_the_8760_hours_of_2026() -> None:
    windows = open_windows(OFFICE, KIND, at("01-01"), at("12-31") + timedelta(days=1))
    assert sum((window.ends_at - window.begins_at for window in windows), timedelta()) == timedelta(hours=6156)


def test_a_window_runs_unbroken_over_midnight_weekend_and_a_whole_holiday() -> None:
    windows = open_windows(OFFICE, KIND, at("02-14 12:00"), at("02-24 12:00"))
    assert windows == [Span(at("02-14 18:30"), at("02-24 08:00"))]


def test_a_window_runs_over_the_end_of_the_year() -> None:
    assert closing_after(OFFICE, KIND, datetime(2025, 12, 31, 20, tzinfo=SHANGHAI)) == at("01-04 08:00")


def test_a_stay_from_friday_evening_must_end_before_the_next_work_day_not_the_next_day() -> None:
    assert closing_after(OFFICE, KIND, at("06-05 19:00")) == at("06-08 08:00")
    assert closing_after(OFFICE, KIND, at("06-05 12:00")) is None


def test_the_next_opening_is_now_when_it_is_open_and_this_evening_when_not() -> None:
    assert next_opening(OFFICE, KIND, at("06-05 19:00")) == at("06-05 19:00")
    assert next_opening(OFFICE, KIND, at("06-05 12:00")) == at("06-05 18:30")


def test_provisional_days_are_open_only_as_far_as_both_readings_allow() -> None:
    saturday = datetime(2027, 2, 6, 12, tzinfo=SHANGHAI)
    assert not is_open(OFFICE, KIND, saturday)
    assert is_open(OFFICE, KIND, saturday.replace(hour=20))
    assert is_open(OFFICE, KIND, datetime(2027, 10, 1, 12, tzinfo=SHANGHAI))


def test_hours_that_cross_midnight_close_the_night_and_open_the_day() -> None:
    night_shift = OfficeHours(Hours(time(22), time(6)))
    windows = open_windows(night_shift, KIND, at("06-03"), at("06-04"))
    assert windows == [Span(at("06-03 07:00"), at("06-03 21:00"))]


def test_a_service_hall_that_works_on_saturday_is_closed_then() -> None:
    hall = OfficeHours(OFFICE.usual, on_days_off={5: Hours(time(9), time(12))})
    assert not is_open(hall, KIND, at("06-06 10:00"))
    assert is_open(hall, KIND, at("06-06 13:00"))
    assert is_open(hall, KIND, at("06-07 10:00"))


def test_a_dated_exception_wins_over_the_calendar() -> None:
    unit = OfficeHours(OFFICE.usual, exceptions={date(2026, 6, 3): None, date(2026, 6, 7): Hours(time(8), time(20))})
    assert is_open(unit, KIND, at("06-03 12:00"))
    assert not is_open(unit, KIND, at("06-07 20:30"))


def test_the_stricter_readings_close_the_mornings_and_evenings_beside_days_off() -> None:
    strict = Readings(morning_after_a_day_off_is_open=False, evening_before_a_day_off_is_open=False)
    unit = OfficeHours(OFFICE.usual, readings=strict)
    windows = open_windows(unit, KIND, at("06-05 12:00"), at("06-09"))
    assert windows == [Span(at("06-06"), at("06-08")), Span(at("06-08 18:30"), at("06-09"))]


def test_hours_without_length_are_refused() -> None:
    with pytest.raises(HoursMakeNoSense):
        Hours(time(9), time(9))


def test_today_is_told_in_chinese() -> None:
    assert today_text(OFFICE, KIND, at("06-03 12:00")) == "00:00-08:00、18:30-24:00"
    assert today_text(OFFICE, KIND, at("06-06 12:00")) == "全天开放"
    assert today_text(OFFICE, KIND, at("06-06 12:00"), is_provisional=True) == "全天开放（暂定）"
    always_there = OfficeHours(Hours(time(0, 30), time(23, 30)))
    assert today_text(always_there, KIND, at("06-03 12:00")) == "今日不开放"


clocks = st.times().map(lambda clock: clock.replace(microsecond=0))
offices = st.tuples(clocks, clocks).filter(lambda pair: pair[0] != pair[1]).map(lambda pair: OfficeHours(Hours(*pair)))
instants = st.builds(datetime.combine, st.dates(date(2025, 3, 1), date(2027, 11, 1)), clocks, st.just(SHANGHAI))


@settings(deadline=None)
@given(offices, instants, st.timedeltas(timedelta(seconds=1), timedelta(days=20)), st.floats(0, 0.999))
def test_windows_are_maximal_ordered_and_agree_with_the_definition(
    office: OfficeHours, begin: datetime, length: timedelta, share: float
) -> None:
    windows = open_windows(office, KIND, begin, begin + length)
    assert all(begin <= window.begins_at < window.ends_at <= begin + length for window in windows)
    assert all(one.ends_at < other.begins_at for one, other in pairwise(windows))
    moment = begin + length * share
    assert any(window.holds(moment) for window in windows) is not _is_closed_by_definition(office, moment)


def _is_closed_by_definition(office: OfficeHours, moment: datetime) -> bool:
    hour = timedelta(hours=1)
    for back in range(-1, 3):
        day = moment.astimezone(SHANGHAI).date() - timedelta(days=back)
        begins = datetime.combine(day, office.usual.begins, SHANGHAI)
        ends = datetime.combine(day, office.usual.ends, SHANGHAI)
        ends += timedelta(days=1) if ends < begins else timedelta()
        if KIND(day) is DayKind.WORKDAY and begins - hour <= moment < ends + hour:
            return True
    return False


@given(st.dates(date(2030, 1, 2), date(2030, 12, 30)))
def test_an_uncertain_day_is_never_open_in_office_hours(day: date) -> None:
    book = DayBook(date(2029, 12, 1), date(2031, 2, 1), {})
    noon = datetime.combine(day, time(12), SHANGHAI)
    certain = provisional_day(day).holiday is not None
    assert is_open(OFFICE, book.kind, noon) is certain
