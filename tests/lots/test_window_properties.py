"""Open hours as exact spans: whatever calendar, office hours, duty days, exceptions and closures there are."""

from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.domain.calendars.rules import DayKind
from app.domain.lots.rules import (
    Curfew,
    Hours,
    OfficeHours,
    Readings,
    Span,
    open_windows,
    open_windows_in_turn,
    without,
)
from app.domain.lots.rules.hours import (
    PlanHours,
    is_nowhere_shorter,
    is_shorter,
    normal_duty_days,
    normal_exceptions,
    office_hours,
)
from app.kernel.clock import SHANGHAI

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
CITY = Readings()
FIRST = date(2026, 12, 28)
"""The days looked at lie around a year's end."""

clocks = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
pairs = st.tuples(clocks, clocks).filter(lambda pair: pair[0] != pair[1])
near = st.integers(-3, 8).map(lambda days: FIRST + days * DAY)
kinds = st.dictionaries(st.integers(-12, 16).map(lambda days: FIRST + days * DAY), st.sampled_from(DayKind))


def words(pair: tuple[time, time]) -> dict[str, str]:
    return {"begins": f"{pair[0]:%H:%M}", "ends": f"{pair[1]:%H:%M}"}


plans = st.builds(
    PlanHours,
    st.integers(0, 180),
    st.integers(0, 180),
    st.dictionaries(st.integers(0, 6), pairs, max_size=2).map(
        lambda told: normal_duty_days([{"weekday": day, **words(pair)} for day, pair in told.items()])
    ),
    st.dictionaries(near, st.none() | pairs, max_size=3).map(
        lambda told: normal_exceptions([{"date": str(d), **(words(pair) if pair else {})} for d, pair in told.items()])
    ),
)


def kind_in(book: dict[date, DayKind]) -> Any:
    def kind(day: date) -> DayKind:
        return book.get(day, DayKind.WORKDAY if day.weekday() < 5 else DayKind.DAYOFF)

    return kind


def needed(office: OfficeHours, kind: Any, moment: datetime) -> bool:
    """Whether the unit needs its bays at a moment, by the words of the notice and of its plan alone."""
    for back in range(-1, 4):
        day = moment.astimezone(SHANGHAI).date() - back * DAY
        hours = worked(office, kind, day)
        if hours is None:
            continue
        begins = datetime.combine(day, hours.begins, SHANGHAI)
        ends = datetime.combine(day, hours.ends, SHANGHAI)
        ends += DAY if ends < begins else timedelta()
        if begins - office.readings.closes_before <= moment < ends + office.readings.opens_after:
            return True
    return False


def worked(office: OfficeHours, kind: Any, day: date) -> Hours | None:
    if day in office.exceptions:
        return office.exceptions[day]
    if kind(day) is DayKind.WORKDAY:
        return office.usual
    return office.on_days_off.get(day.weekday())


@settings(deadline=None, max_examples=30)
@given(pairs, plans, kinds, st.integers(0, 5), st.integers(0, 1439))
def test_spans_equal_the_definition_minute_by_minute(
    usual: tuple[time, time], plan: PlanHours, book: dict[date, DayKind], day: int, minute: int
) -> None:
    office, kind = office_hours(*usual, plan, CITY), kind_in(book)
    begin = datetime.combine(FIRST + day * DAY, time(), SHANGHAI) + minute * MINUTE
    end = begin + 2 * DAY
    windows = open_windows(office, kind, begin, end)
    assert all(one.ends_at < other.begins_at for one, other in pairwise(windows))
    moments = [begin + n * MINUTE for n in range(2 * 24 * 60)]
    assert [any(each.holds(at) for each in windows) for at in moments] == [
        not needed(office, kind, at) for at in moments
    ]


@settings(deadline=None, max_examples=60)
@given(pairs, plans, kinds, st.integers(1, 60))
def test_spans_never_hold_office_hours_over_any_horizon(
    usual: tuple[time, time], plan: PlanHours, book: dict[date, DayKind], days: int
) -> None:
    office, kind = office_hours(*usual, plan, CITY), kind_in(book)
    begin = datetime.combine(FIRST, time(), SHANGHAI)
    windows = open_windows(office, kind, begin, begin + days * DAY)
    for n in range(days):
        hours = worked(office, kind, FIRST + n * DAY)
        if hours is not None:
            work = hours.on(FIRST + n * DAY)
            assert not any(each.begins_at < work.ends_at and work.begins_at < each.ends_at for each in windows)


@settings(deadline=None, max_examples=60)
@given(pairs, plans, plans, kinds, st.integers(0, 96))
def test_each_plan_counts_from_its_own_moment_on(
    usual: tuple[time, time], before: PlanHours, after: PlanHours, book: dict[date, DayKind], hours: int
) -> None:
    begin = datetime.combine(FIRST, time(), SHANGHAI)
    change, end, kind = begin + timedelta(hours=hours), begin + 4 * DAY, kind_in(book)
    former, latter = (office_hours(*usual, plan, CITY) for plan in (before, after))
    windows = open_windows_in_turn([(begin, former), (change, latter)], kind, begin, end)
    assert all(one.ends_at < other.begins_at for one, other in pairwise(windows))
    for n in range(0, 4 * 24 * 60, 7):
        at = begin + n * MINUTE
        assert any(each.holds(at) for each in windows) is not needed(former if at < change else latter, kind, at)


spans = st.lists(st.integers(0, 200), min_size=2, max_size=10, unique=True).map(
    lambda hours: [
        Span(*(datetime.combine(FIRST, time(), SHANGHAI) + timedelta(hours=h) for h in pair))
        for pair in zip(*[iter(sorted(hours))] * 2, strict=False)
    ]
)


@given(spans, spans)
def test_closures_take_out_exactly_what_they_cover(windows: list[Span], closures: list[Span]) -> None:
    left = without(windows, closures)
    for hour in range(201):
        at = datetime.combine(FIRST, time(), SHANGHAI) + timedelta(hours=hour, minutes=30)
        told = any(each.holds(at) for each in windows) and not any(each.holds(at) for each in closures)
        assert any(each.holds(at) for each in left) is told


A_SHORT_DAY = PlanHours(0, 0, [], normal_exceptions([{"date": str(FIRST), "begins": "00:00", "ends": "00:15"}]))


@settings(max_examples=100)
@given(pairs, plans, plans, kinds)
@example((time(0), time(0, 30)), PlanHours(0, 0, [], []), A_SHORT_DAY, {})
def test_what_is_nowhere_shorter_by_its_terms_is_nowhere_shorter_in_fact(
    usual: tuple[time, time], plan: PlanHours, former: PlanHours, book: dict[date, DayKind]
) -> None:
    kind, begin = kind_in(book), datetime.combine(FIRST - 3 * DAY, time(), SHANGHAI)
    wide, narrow = (
        open_windows(office_hours(*usual, each, CITY), kind, begin, begin + 9 * DAY) for each in (plan, former)
    )
    if is_nowhere_shorter(plan, former):
        assert all(any(each.covers(span) for each in wide) for span in narrow)
    if not is_shorter(plan, CITY):
        rule = open_windows(office_hours(*usual, None, CITY), kind, begin, begin + 9 * DAY)
        assert all(any(each.covers(span) for each in wide) for span in rule)


@given(clocks, clocks, clocks)
def test_a_curfew_holds_from_its_begin_to_its_end_also_over_midnight(begins: time, ends: time, clock: time) -> None:
    at = datetime.combine(FIRST, clock, SHANGHAI)
    minutes = [each.hour * 60 + each.minute for each in (begins, ends, clock)]
    told = (minutes[2] - minutes[0]) % 1440 < (minutes[1] - minutes[0]) % 1440
    assert begins == ends or Curfew(begins, ends).holds(at) is told
