"""Each rule of a tariff, one sentence at a time."""

import copy
from datetime import UTC, datetime, timedelta
from time import process_time
from typing import Any

import pytest

from app.domain.pricing import published
from app.domain.pricing.rules import (
    BilledFee,
    EndsBeforeItBegins,
    NoPrice,
    Priced,
    Quote,
    Source,
    Tariff,
    UnknownPaymentChannel,
    UnknownVehicleClass,
    UnknownWaiver,
    hourly_text,
    quote,
)
from app.kernel.clock import SHANGHAI

MONDAY = datetime(2026, 6, 1, tzinfo=SHANGHAI)
HOURLY = {"method": "stepped", "steps": [{"minutes": None, "unit_min": 60, "fen": 400}], "rounding": "up"}


def at(clock: str, day: int = 0) -> datetime:
    hours, minutes, seconds = (int(part) for part in f"{clock}:00".split(":")[:3])
    return MONDAY + timedelta(days=day, hours=hours, minutes=minutes, seconds=seconds)


def tariff(**changes: Any) -> Tariff:
    """4 yuan an hour round the clock, changed as told."""
    plain = {
        "free": None,
        "bands": [{"name": "all", "from": "00:00", "to": "24:00", "days": "all", **HOURLY}],
        "boundary_policy": "single_band",
        "period": {"kind": "none", "cap_fen": None},
        "vehicle_classes": {"small": {}, "large": {"multiplier_permille": 1500}},
        "default_class": "small",
    }
    return Tariff.load({**plain, **changes})


def free(**changes: Any) -> dict[str, Any]:
    given = {"minutes": 15, "mode": "waive_if_within", "measured_on": "whole_stay", "scope": "per_entry"}
    return {**given, "again_each_period": False, **changes}


def day_and_night(policy: str, **changes: Any) -> Tariff:
    day = {"name": "day", "from": "08:00", "to": "20:00", "days": "all", **HOURLY}
    night = {"name": "night", "from": "20:00", "to": "08:00", "days": "all", "method": "per_visit", "fen": 500}
    return tariff(bands=[day, night], boundary_policy=policy, **changes)


def fee(of: Tariff, begin: datetime, end: datetime, *args: Any, **how: Any) -> int:
    return quote(of, begin, end, *args, **how).total_fen


def amounts(bill: Quote) -> list[tuple[str, int]]:
    return [(line.rule, line.amount_fen) for line in bill.lines]


def test_one_second_over_a_unit_is_a_unit_more() -> None:
    assert fee(tariff(), at("09:00"), at("10:00")) == 400
    assert fee(tariff(), at("09:00"), at("10:00:01")) == 800


def test_bands_change_on_the_minute_that_they_tell() -> None:
    dear = {"name": "dear", "from": "08:30", "to": "17:45", "days": "all", "method": "per_visit", "fen": 700}
    cheap = {"name": "cheap", "from": "17:45", "to": "08:30", "days": "all", "method": "per_visit", "fen": 100}
    of = tariff(bands=[dear, cheap], boundary_policy="round_each_segment")
    assert fee(of, at("17:44:59"), at("17:45")) == 700
    assert fee(of, at("17:45"), at("17:45:01")) == fee(of, at("08:29:59"), at("08:30")) == 100
    assert fee(of, at("08:29:59"), at("08:30:01")) == 800


def test_a_whole_number_may_be_written_with_a_point_as_in_a_schema() -> None:
    steps = [{"minutes": None, "unit_min": 60.0, "fen": 400.0}]
    band = {"name": "all", "from": "00:00", "to": "24:00", "days": "all", **HOURLY, "steps": steps}
    assert tariff(bands=[band]) == tariff()


def test_one_second_over_the_free_time_is_charged_from_entry() -> None:
    of = tariff(free=free())
    assert fee(of, at("09:00"), at("09:15")) == 0
    assert fee(of, at("09:00"), at("09:15:01")) == 400


def test_deducted_free_time_moves_the_start_of_charging() -> None:
    bill = quote(tariff(free=free(mode="deduct")), at("09:00"), at("10:15:01"))
    assert amounts(bill) == [("free_time", 0), ("band", 800)]
    assert bill.lines[1].begins_at == at("09:15")


def test_free_time_by_class_replaces_the_common_one() -> None:
    of = tariff(free=free(by_class={"large": 60}))
    assert fee(of, at("09:00"), at("10:00"), "large") == 0
    assert fee(of, at("09:00"), at("10:00"), "small") == 400


def test_free_time_is_used_up_by_a_stay_that_began_less_than_24_hours_before() -> None:
    of = tariff(free=free(scope="first_in_rolling_24h"))
    stay = at("09:00", 1), at("09:10", 1), "small"
    assert fee(of, *stay, [(at("09:00:01"), at("09:01"))]) == 400
    assert fee(of, *stay, [(at("09:00"), at("23:00"))]) == 0
    assert fee(of, *stay, [(at("09:30", 1), at("09:40", 1))]) == 0


def test_free_time_that_is_given_again_counts_in_every_period() -> None:
    rolling = {"kind": "rolling", "minutes": 120, "cap_fen": None}
    again = tariff(free=free(mode="deduct", again_each_period=True), period=rolling)
    once = tariff(free=free(mode="deduct"), period=rolling)
    assert fee(again, at("09:00"), at("12:15")) == 800 + 400
    assert fee(once, at("09:00"), at("12:15")) == 800 + 800


def test_chargeable_time_leaves_out_free_bands_and_free_spans() -> None:
    day = {"name": "day", "from": "08:00", "to": "20:00", "days": "all", **HOURLY}
    night = {"name": "night", "from": "20:00", "to": "08:00", "days": "all", "method": "free"}
    of = tariff(
        bands=[day, night],
        boundary_policy="round_each_segment",
        free=free(measured_on="chargeable_time"),
        overrides=[{"kind": "free", "from": at("19:00").isoformat(), "to": at("19:50").isoformat()}],
    )
    assert fee(of, at("18:55"), at("23:00")) == 0
    assert fee(of, at("18:54:59"), at("23:00")) == 800


def test_each_band_rounds_for_itself_or_the_part_unit_is_carried() -> None:
    assert fee(day_and_night("round_each_segment"), at("19:30"), at("20:30")) == 400 + 500
    assert fee(day_and_night("carry_part_unit"), at("19:30"), at("20:30")) == 400
    assert fee(day_and_night("carry_part_unit"), at("19:30"), at("20:30:01")) == 400 + 500


def test_the_band_at_entry_prices_the_whole_period() -> None:
    assert fee(day_and_night("by_entry"), at("07:59:59"), at("19:00")) == 500
    assert fee(day_and_night("by_entry"), at("08:00"), at("19:00")) == 11 * 400


def test_pieces_of_a_band_are_added_before_they_are_rounded() -> None:
    stay = at("19:30"), at("08:30", 1)
    assert fee(day_and_night("sum_per_band"), *stay) == 400 + 500
    assert fee(day_and_night("round_each_segment"), *stay) == 400 + 500 + 400


def test_a_night_over_midnight_is_one_visit_unless_the_period_is_the_calendar_day() -> None:
    assert fee(day_and_night("round_each_segment"), at("22:00"), at("06:00", 1)) == 500
    daily = day_and_night("round_each_segment", period={"kind": "calendar_day", "cap_fen": None})
    assert fee(daily, at("22:00"), at("06:00", 1)) == 1000


def test_caps_and_factors_are_lines_of_their_own() -> None:
    band = {"name": "all", "from": "00:00", "to": "24:00", "days": "all", **HOURLY, "band_cap": {"units": 6}}
    of = tariff(bands=[band], period={"kind": "rolling", "minutes": 1440, "cap_fen": 3000})
    bill = quote(of, at("09:00"), at("19:00"), "large")
    assert amounts(bill) == [("band", 4000), ("band_cap", -1600), ("vehicle_factor", 1200), ("period_cap", -600)]
    assert bill.total_fen == 3000


def test_the_first_second_and_every_later_period_have_caps_of_their_own() -> None:
    of = tariff(period={"kind": "rolling", "minutes": 1440, "cap_fen": [1000, None, 2000]})
    days = [fee(of, at("00:00"), at("00:00", day)) for day in range(1, 5)]
    assert days == [1000, 1000 + 9600, 1000 + 9600 + 2000, 1000 + 9600 + 4000]


def test_a_factor_is_rounded_half_up_for_each_piece() -> None:
    of = day_and_night("round_each_segment", vehicle_classes={"small": {"multiplier_permille": 1001}})
    assert fee(of, at("19:30"), at("20:30")) == 400 + 501


def test_own_bands_replace_the_common_ones() -> None:
    own = {
        "own_bands": [{"name": "all", "from": "00:00", "to": "24:00", "days": "all", "method": "per_visit", "fen": 9}]
    }
    assert fee(tariff(vehicle_classes={"small": {}, "bike": own}), at("09:00"), at("19:00"), "bike") == 9


def test_a_free_span_cuts_the_stay_in_pieces() -> None:
    of = tariff(overrides=[{"kind": "free", "from": at("10:00").isoformat(), "to": at("11:00").isoformat()}])
    bill = quote(of, at("09:30"), at("11:30"))
    assert amounts(bill) == [("free_span", 0), ("band", 400), ("band", 400)]
    assert fee(of, at("08:00"), at("09:00")) == 400
    assert hourly_text(of, at("10:30")).startswith("当前免费")


def test_an_overstay_is_a_stay_of_its_own_at_a_multiple_up_to_its_cap() -> None:
    of = tariff(free=free(), overstay={"multiplier_permille": 3000, "cap_fen": 2000, "grace_min": 15})
    booked: dict[str, Any] = {"booked_end": at("18:00")}
    assert fee(of, at("09:30"), at("18:15"), **booked) == 9 * 400
    bill = quote(of, at("09:30"), at("18:15:01"), **booked)
    assert amounts(bill) == [("band", 3600), ("band", 400), ("overstay", 800)]
    assert fee(of, at("09:30"), at("23:00"), **booked) == 3600 + 2000
    assert fee(of, at("18:30"), at("18:40"), **booked) == 1200


def test_a_proved_ground_makes_the_stay_free_and_an_unknown_one_is_refused() -> None:
    of = tariff(waivers={"visit_proof": {"effect": "free", "when": "办事凭证"}})
    assert amounts(quote(of, at("09:00"), at("19:00"), waiver="visit_proof")) == [("waiver", 0)]
    with pytest.raises(UnknownWaiver):
        quote(of, at("09:00"), at("19:00"), waiver="friend")


def test_a_payment_channels_discount_stays_apart_from_the_fee() -> None:
    of = tariff(payment_channels={"citizen_card": {"permille": 777}})
    bill = quote(of, at("09:00"), at("10:30"), payment_channel="citizen_card")
    assert (bill.total_fen, bill.payable_fen) == (800, 622)
    assert "优惠后：6.22元" in bill.explain()
    with pytest.raises(UnknownPaymentChannel):
        quote(of, at("09:00"), at("10:30"), payment_channel="gold")
    with pytest.raises(UnknownPaymentChannel):
        quote(tariff(), at("09:00"), at("10:30"), payment_channel="citizen_card")


@pytest.mark.parametrize(
    "changes",
    [
        {"longest_stay_min": 60},
        {"usable_window": {"from": "07:00", "to": "10:00"}},
        {"bands": [{"name": "x", "from": "07:00", "to": "10:00", "days": "all", **HOURLY}], "partial": True},
        {
            "bands": [
                {
                    "name": "x",
                    "from": "00:00",
                    "to": "24:00",
                    "days": "all",
                    "method": "table_of_totals",
                    "table": [{"up_to_min": 60, "fen": 1}],
                }
            ]
        },
        {
            "bands": [
                {
                    "name": "x",
                    "from": "00:00",
                    "to": "24:00",
                    "days": "all",
                    "method": "stepped",
                    "rounding": "up",
                    "steps": [{"minutes": 60, "unit_min": 60, "fen": 1}],
                }
            ]
        },
    ],
)
def test_time_that_the_tariff_does_not_speak_of_has_no_price(changes: dict[str, Any]) -> None:
    of = tariff(**changes)
    assert fee(of, at("09:00"), at("10:00")) > 0
    with pytest.raises(NoPrice):
        quote(of, at("09:00"), at("10:00:01"))


def test_a_day_that_the_calendar_does_not_know_has_no_price() -> None:
    of = Tariff.load(published.read("HZ-WESTLAKE").parameters)
    assert fee(of, at("21:00"), at("06:00", 1)) == 500
    with pytest.raises(NoPrice):
        quote(of, at("09:00"), at("10:00"))


def test_a_stay_without_length_costs_nothing_and_one_that_runs_backwards_is_refused() -> None:
    assert fee(day_and_night("round_each_segment"), at("09:00"), at("09:00")) == 0
    with pytest.raises(EndsBeforeItBegins):
        quote(tariff(), at("09:00"), at("08:59:59"))


def test_a_class_that_the_tariff_does_not_name_is_refused() -> None:
    with pytest.raises(UnknownVehicleClass):
        quote(tariff(), at("09:00"), at("10:00"), "tank")


def test_the_zone_of_the_moments_changes_nothing() -> None:
    of = day_and_night("round_each_segment")
    begin, end = at("19:30"), at("20:30")
    assert quote(of, begin.astimezone(UTC), end.astimezone(UTC)).lines == quote(of, begin, end).lines


def test_a_stay_of_400_days_is_priced_within_a_second() -> None:
    of = Tariff.load(published.read("HZ-ROAD-CORE").parameters)
    began = process_time()
    bill = quote(of, at("09:00"), at("09:00", 400))
    assert process_time() - began < 1
    assert bill.total_fen == (1000 + 20 * 600) + 399 * (1000 + 22 * 600) + 1000 + 400 * 500


def test_a_quote_explains_itself_with_its_boundary_policy() -> None:
    told = quote(Tariff.load(published.read("HZ-ROAD-1").parameters), at("18:00"), at("09:00", 1)).explain()
    assert told.splitlines() == [
        "2026-06-01 18:00:00 至 2026-06-02 09:00:00，停车15小时",
        "2026-06-01 18:00:00 至 2026-06-01 20:00:00 8-20时 2个半小时×3元 + 2个半小时×4元：14元",
        "2026-06-01 20:00:00 至 2026-06-02 08:00:00 20-8时 5元：5元",
        "2026-06-02 08:00:00 至 2026-06-02 09:00:00 8-20时 2个半小时×3元：6元",
        "跨时段停车，各时段分别计费、分别取整",
        "合计：25元",
    ]


def test_the_fee_is_never_above_the_cheapest_reference_and_both_are_kept() -> None:
    own = quote(tariff(), at("09:00"), at("11:00"))
    dear, cheap = (quote(Tariff.load(published.read(name).parameters), at("09:00"), at("11:00")) for name in ROADS)
    billed = capped(own, dear, cheap)
    assert (dear.total_fen, cheap.total_fen, own.total_fen) == (2200, 1000, 800)
    assert (billed.fee_fen, billed.is_capped, billed.reduction_fen) == (800, False, 0)
    lower = capped(dear, own, cheap)
    assert (lower.fee_fen, lower.cap_lines, lower.own_lines, lower.reduction_fen) == (800, own.lines, dear.lines, 1400)
    assert capped(dear).fee_fen == 2200
    assert [capped(dear, own, cheap, rule=rule).cap_fen for rule in ("lowest", "highest", "average")] == [
        800,
        1000,
        900,
    ]


def capped(own: Quote, *references: Quote, rule: str = "lowest") -> BilledFee:
    around = tuple(Priced(Source(place), each) for place, each in enumerate(references, start=2))
    return BilledFee((Priced(Source(1), own),), around, rule)


ROADS = ("HZ-ROAD-CORE", "HZ-ROAD-2")


def test_a_tariff_is_told_for_the_day_and_the_vehicle() -> None:
    parameters = copy.deepcopy(published.read("HZ-ROAD-1").parameters)
    small = "15分钟内免费；8-20时 首小时3元/半小时，之后4元/半小时，尾数不超过15分钟不计；20-8时 5元/次"
    assert hourly_text(Tariff.load(parameters), at("09:00")) == small
    large = hourly_text(Tariff.load(parameters), at("09:00"), vehicle_class="large")
    assert large == small.replace("；20", "（此车型按2倍）；20")
