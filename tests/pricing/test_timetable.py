"""Which band applies when, and when the calendar is asked."""

from datetime import date, timedelta
from typing import Any

import pytest

from app.domain.pricing.rules import NoPrice, Tariff, quote
from app.domain.pricing.rules.spans import (
    BandsOverlap,
    Plans,
    Span,
    Timetable,
    UnknownDayClass,
    Window,
    classes_of,
    moment,
    wall,
)
from tests.pricing.small_tariffs import all_day, band, free_time, parameters, per_visit, stepped
from tests.pricing.test_rules import at, fee

DAY = 86_400
MONDAY = wall(at("00:00"))


class Asked:
    """A calendar of work days that remembers what it was asked."""

    def __init__(self, *classes: str) -> None:
        self.classes = classes or ("workday",)
        self.dates: list[date] = []

    def __call__(self, of: date) -> tuple[str, ...]:
        self.dates.append(of)
        return self.classes


def by_day(*others: dict[str, Any], **more: Any) -> Tariff:
    """By day 4 yuan an hour on work days and 6 on others, by night 5 yuan a visit on all days."""
    days = [band(name, "08:00", "20:00", stepped(fen), [name]) for name, fen in (("workday", 400), ("off", 600))]
    return Tariff.load(parameters(*days, *others, **more))


NIGHT = band("night", "20:00", "08:00", per_visit(500))


def test_the_calendar_is_asked_once_for_a_date_and_only_where_its_class_decides() -> None:
    calendar = Asked()
    assert fee(by_day(NIGHT), at("20:00"), at("08:00", 1), None, (), calendar) == 500
    assert calendar.dates == []
    assert fee(by_day(NIGHT), at("19:59:59"), at("08:00:01", 1), None, (), calendar) == 400 + 500 + 400
    assert calendar.dates == [date(2026, 6, 1), date(2026, 6, 2)]
    month = Asked()
    quote(by_day(NIGHT), at("12:00"), at("12:00", 30), None, (), month)
    assert month.dates == [date(2026, 6, 1) + timedelta(days=place) for place in range(31)]


def test_a_stay_by_its_entry_asks_for_the_date_of_each_period_alone() -> None:
    days = [all_day(stepped(fen), [name], name) for name, fen in (("workday", 400), ("off", 600))]
    calendar, rolling = Asked(), {"kind": "rolling", "minutes": 1440}
    of = Tariff.load(parameters(*days, boundary_policy="by_entry", period=rolling))
    assert fee(of, at("12:00"), at("13:00", 2), None, (), calendar) == 49 * 400
    assert calendar.dates == [date(2026, 6, day) for day in (1, 2, 3)]


def test_days_on_which_nothing_is_charged_need_no_class() -> None:
    daily, calendar = {"kind": "calendar_day"}, Asked()
    of = by_day(NIGHT, period=daily, free=free_time(2 * 1440, "deduct"))
    assert fee(of, at("12:00"), at("13:00", 2), None, (), calendar) == 400
    assert calendar.dates == [date(2026, 6, 3)]


def test_a_class_that_no_band_knows_is_told_with_its_date() -> None:
    with pytest.raises(UnknownDayClass) as refused:
        quote(by_day(NIGHT), at("21:00"), at("09:00", 1), None, (), Asked("sunny", "monday"))
    assert refused.value.details == {"date": "2026-06-02", "classes": ["monday", "sunny"]}


def test_time_that_a_partial_tariff_leaves_out_has_no_price_whatever_the_day() -> None:
    with pytest.raises(NoPrice) as refused:
        quote(by_day(partial=True), at("19:00"), at("20:00:01"), None, (), Asked())
    assert type(refused.value) is NoPrice
    assert refused.value.details == {"at": "2026-06-01T20:00:00+08:00", "reason": "此时没有收费时段"}
    assert fee(by_day(partial=True), at("19:00"), at("20:00"), None, (), Asked()) == 400
    with pytest.raises(NoPrice):
        quote(by_day(partial=True), at("07:59:59"), at("09:00"), None, (), Asked())


def test_classes_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(BandsOverlap) as refused:
        quote(by_day(NIGHT), at("09:00"), at("10:00"), None, (), Asked("workday", "off"))
    assert refused.value.details == {"where": "2026-06-01", "reason": "时段workday与off重叠"}


def cut(of: Tariff, begin: int, end: int, *classes: str) -> list[tuple[int, int, str]]:
    timetable = of.timetable("small", Asked(*classes))
    return [(part.begin - MONDAY, part.end - MONDAY, band.name) for part, band in timetable.segments(Span(begin, end))]


def test_a_span_is_cut_where_the_band_changes_and_not_at_midnight() -> None:
    hour = 3600
    assert cut(by_day(NIGHT), MONDAY + 7 * hour, MONDAY + DAY + 9 * hour) == [
        (7 * hour, 8 * hour, "night"), (8 * hour, 20 * hour, "workday"),
        (20 * hour, DAY + 8 * hour, "night"), (DAY + 8 * hour, DAY + 9 * hour, "workday"),
    ]  # fmt: skip
    assert cut(by_day(NIGHT), MONDAY + 8 * hour, MONDAY + 20 * hour) == [(8 * hour, 20 * hour, "workday")]
    assert cut(by_day(NIGHT), MONDAY + 8 * hour, MONDAY + 8 * hour) == []
    alone = Tariff.load(parameters(all_day(stepped(1))))
    assert cut(alone, MONDAY, MONDAY + 3 * DAY) == [(0, 3 * DAY, "all_day")]
    assert cut(alone, MONDAY, MONDAY) == []


def test_the_pieces_of_a_day_leave_out_what_has_no_band() -> None:
    timetable = by_day(partial=True).timetable("small", Asked("off"))
    (piece,) = timetable.known(MONDAY // DAY)
    assert (piece.span, piece.band.name) == (Span(MONDAY + 8 * 3600, MONDAY + 20 * 3600), "off")
    assert list(by_day(partial=True).timetable("small", Asked("sunny")).known(MONDAY // DAY)) == []


def test_spans_of_days_that_have_like_bands_are_told_to_be_alike() -> None:
    of = by_day(NIGHT)
    timetable = of.timetable("small", lambda day: "off" if day.weekday() > 4 else "workday")
    monday, tuesday, saturday = (
        timetable.plans_over(Span(MONDAY + day * DAY, MONDAY + (day + 1) * DAY)) for day in (0, 1, 5)
    )
    assert monday == tuesday != saturday
    assert len(timetable.plans_over(Span(MONDAY + 9 * 3600, MONDAY + 2 * DAY + 9 * 3600))) == 3
    night = timetable.plans_over(Span(MONDAY + 20 * 3600, MONDAY + DAY + 8 * 3600))
    assert night == timetable.plans_over(Span(MONDAY + 5 * DAY + 20 * 3600, MONDAY + 6 * DAY + 8 * 3600))
    assert Tariff.load(parameters(all_day(stepped(1)))).timetable("small", Asked()).plans_over(Span(0, DAY)) == ()


def test_a_timetable_makes_its_own_plans_when_none_are_kept() -> None:
    bands = by_day(NIGHT).bands
    for timetable in (Timetable(bands, Asked()), Timetable(bands, Asked(), Plans(bands))):
        assert timetable.band_at(MONDAY + 8 * 3600).name == "workday"
        assert timetable.band_at(MONDAY + 8 * 3600 - 1).name == "night"


@pytest.mark.parametrize(
    ("window", "span", "seconds"),
    [
        (Window(8 * 3600, 20 * 3600), (0, DAY), 12 * 3600),
        (Window(20 * 3600, 8 * 3600), (0, DAY), 12 * 3600),
        (Window(20 * 3600, 8 * 3600), (7 * 3600, 21 * 3600), 2 * 3600),
        (Window(20 * 3600, 0), (0, 2 * DAY), 8 * 3600),
        (Window(0, DAY), (5, 3 * DAY), 3 * DAY - 5),
        (Window(8 * 3600, 20 * 3600), (8 * 3600 - 1, 8 * 3600 + 1), 1),
    ],
)
def test_seconds_inside_a_daily_window_are_counted_over_any_days(
    window: Window, span: tuple[int, int], seconds: int
) -> None:
    assert window.seconds_within(Span(MONDAY + span[0], MONDAY + span[1])) == seconds


def test_holes_are_cut_out_of_a_span_in_whatever_order_they_come() -> None:
    span = Span(10, 100)
    assert span.without([]) == [span]
    assert span.without([Span(50, 60), Span(0, 20), Span(55, 70), Span(90, 200)]) == [Span(20, 50), Span(70, 90)]
    assert span.without([Span(0, 200)]) == []
    assert span.without([Span(100, 200), Span(0, 10), Span(40, 40)]) == [span]
    assert Span(5, 5).without([]) == []
    assert Span(0, 10).within(Span(20, 30)).seconds == 0


def test_moments_and_seconds_of_the_wall_are_each_others_inverse() -> None:
    for second in (MONDAY, MONDAY + 12_345, 0):
        assert wall(moment(second)) == second
    assert moment(MONDAY).isoformat() == "2026-06-01T00:00:00+08:00"
    assert str(moment(MONDAY).tzinfo) == "Asia/Shanghai"


def test_what_has_no_price_says_why() -> None:
    table = {"method": "table_of_totals", "table": [{"up_to_min": 60, "fen": 300}]}
    steps = {**stepped(1), "steps": [{"minutes": 60, "unit_min": 60, "fen": 300}]}
    reasons = {
        "停车时长超出价目表": all_day({**table, "beyond": "tow"}),
        "停车时长超出最后一级": all_day(steps),
    }
    for reason, price in reasons.items():
        with pytest.raises(NoPrice) as refused:
            quote(Tariff.load(parameters(price)), at("09:00"), at("10:00:01"))
        assert refused.value.details["reason"] == reason
        assert refused.value.details.get("beyond", "tow") == "tow"
    limits: dict[str, dict[str, Any]] = {
        "该标准只适用于更短的停车": {"longest_stay_min": 60},
        "该标准只适用于一天中的部分时间": {"usable_window": {"from": "09:00", "to": "10:00"}},
    }
    for reason, limit in limits.items():
        of = Tariff.load(parameters(all_day(stepped(400)), **limit))
        assert fee(of, at("09:00"), at("10:00")) == 400
        with pytest.raises(NoPrice) as refused:
            quote(of, at("09:00"), at("10:00:01"))
        assert refused.value.details == {"reason": reason}


def test_a_date_that_a_list_leaves_out_has_no_class() -> None:
    listed = classes_of({date(2026, 6, 1): "workday"})
    assert (listed(date(2026, 6, 1)), listed(date(2026, 6, 2))) == ("workday", ())
