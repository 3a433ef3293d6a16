"""The lines of a quote: each names its band, its numbers and its very time, in a long stay as in a short one."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.domain.pricing.rules import Quote, Tariff, quote, quote_occupancy
from tests.pricing.small_tariffs import all_day, band, free_time, parameters, per_visit, stepped
from tests.pricing.test_properties import MONDAY

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
BUS = {"small": {}, "bus": {"multiplier_permille": 1500}}
DAY_AND_NIGHT = (
    band("day", "08:00", "20:00", stepped(400, band_cap={"fen": 1000})),
    band("night", "20:00", "08:00", per_visit(500)),
)


def asked(told: dict[str, Any], begin: datetime, end: datetime, **more: Any) -> Quote:
    return quote(Tariff.load(told), begin, end, **more)


def lines(told: Quote) -> list[tuple[str, str | None, int | None, int, str]]:
    return [(line.rule, line.band, line.units, line.amount_fen, line.text) for line in told.lines]


def test_a_price_its_cap_and_the_vehicles_factor_name_their_band() -> None:
    bill = asked(parameters(*DAY_AND_NIGHT, vehicle_classes=BUS), MONDAY, MONDAY + 20 * HOUR, vehicle_class="bus")
    assert lines(bill) == [
        ("band", "night", 1, 500, "20-8时 5元"),
        ("vehicle_factor", "night", None, 250, "20-8时 车型按1.5倍计费"),
        ("band", "day", 12, 4800, "8-20时 12个小时×4元"),
        ("band_cap", "day", None, -3800, "8-20时 时段封顶10元"),
        ("vehicle_factor", "day", None, 500, "8-20时 车型按1.5倍计费"),
    ]


def test_a_price_of_nothing_counts_no_units_and_other_lines_have_none() -> None:
    told = parameters(all_day({"method": "free"}), free=free_time(15))
    assert lines(asked(told, MONDAY, MONDAY + HOUR)) == [("band", "all_day", 0, 0, "全天 不计费")]
    assert lines(asked(told, MONDAY, MONDAY + HOUR / 4)) == [("free_time", None, None, 0, "未超过免费时长，不收费")]


def test_free_time_that_is_deducted_is_told_with_its_length() -> None:
    told = parameters(all_day(stepped(400)), free=free_time(30, "deduct"))
    assert lines(asked(told, MONDAY, MONDAY + HOUR)) == [
        ("free_time", None, None, 0, "免费时长30分钟，不计费"),
        ("band", "all_day", 1, 400, "全天 1个小时×4元"),
    ]


def test_a_stay_that_just_reaches_its_cap_has_no_line_of_it() -> None:
    told = parameters(all_day(stepped(400)), plate_cap={"kind": "calendar_day", "fen": 800})
    assert [line.rule for line in asked(told, MONDAY, MONDAY + 2 * HOUR).lines] == ["band"]
    assert [line.rule for line in asked(told, MONDAY, MONDAY + 3 * HOUR).lines] == ["band", "plate_cap"]


def test_a_fixed_price_for_overstaying_may_be_nothing() -> None:
    told = parameters(all_day(stepped(400)), overstay={"fixed_fen": 0})
    assert asked(told, MONDAY, MONDAY + 2 * HOUR, booked_end=MONDAY + HOUR).total_fen == 400


def test_a_held_charger_has_one_line() -> None:
    told = parameters(all_day(stepped(400)), occupancy={"grace_min": 10, "unit_min": 1, "fen": 20, "rounding": "up"})
    (line,) = quote_occupancy(Tariff.load(told), MONDAY, MONDAY + HOUR).lines
    assert (line.rule, line.units, line.amount_fen) == ("occupancy", 50, 1000)
    assert (line.begins_at, line.ends_at) == (MONDAY + HOUR / 6, MONDAY + HOUR)
    assert line.text == "充电结束后占用充电车位 50个1分钟×0.2元"


@pytest.mark.parametrize("policy", ["round_each_segment", "sum_per_band", "by_entry", "carry_part_unit"])
@pytest.mark.parametrize("kind", ["calendar_day", "rolling"])
def test_each_day_of_a_long_stay_has_the_lines_that_it_has_alone(policy: str, kind: str) -> None:
    """Days that are alike are priced once; every line must still stand at its own time."""
    period = {"kind": kind, "cap_fen": 450, **({"minutes": 1440} if kind == "rolling" else {})}
    told = parameters(*DAY_AND_NIGHT, boundary_policy=policy, period=period)
    begin = MONDAY if kind == "calendar_day" else MONDAY + 9 * HOUR
    whole = asked(told, begin, begin + 5 * DAY)
    days = [asked(told, begin + place * DAY, begin + (place + 1) * DAY) for place in range(5)]
    assert list(whole.lines) == [line for day in days for line in day.lines]
    assert "period_cap" in {line.rule for line in whole.lines}
