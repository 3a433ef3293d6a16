"""What lies over the price of a stay, one sentence at a time: overstay, proofs, caps of a plate, held chargers."""

from datetime import timedelta
from typing import Any

import pytest

from app.domain.pricing.rules import EndsBeforeItBegins, InvalidTariff, StayTooLong, Tariff, quote, quote_occupancy
from tests.pricing.test_rules import HOURLY, amounts, at, day_and_night, fee, free, tariff

LATE: dict[str, Any] = {"booked_end": at("18:00")}


def test_a_filed_overstay_price_counts_from_the_booked_end_whatever_the_vehicle() -> None:
    filed = {"unit_min": 30, "fen": 500, "rounding": "ignore_tail", "tail_min": 5}
    of = tariff(overstay={"filed": filed, "grace_min": 10, "cap_fen": 1200})
    assert fee(of, at("17:00"), at("18:10"), **LATE) == 800
    assert amounts(quote(of, at("17:00"), at("18:35"), "large", **LATE)) == [
        ("band", 400), ("vehicle_factor", 200), ("overstay", 500),
    ]  # fmt: skip
    assert fee(of, at("17:00"), at("18:35:01"), **LATE) == 400 + 1000
    bill = quote(of, at("17:00"), at("19:10"), **LATE)
    assert amounts(bill) == [("band", 400), ("overstay", 1500), ("overstay_cap", -300)]
    assert [line.text for line in bill.lines[1:]] == ["超过预订时间 3个半小时×5元", "超时费用封顶12元"]
    assert (bill.lines[1].begins_at, bill.lines[1].ends_at, bill.lines[1].units) == (at("18:00"), at("19:10"), 3)


def test_a_fixed_overstay_price_is_paid_once() -> None:
    of = tariff(overstay={"fixed_fen": 5000})
    bill = quote(of, at("17:00"), at("18:00:01"), **LATE)
    assert amounts(bill) == [("band", 400), ("overstay", 5000)]
    assert bill.lines[1].text == "超过预订时间，按次计费"
    assert fee(of, at("17:00"), at("23:00"), **LATE) == 5400
    assert fee(of, at("17:00"), at("18:00"), **LATE) == 400
    assert fee(of, at("19:00"), at("19:00"), **LATE) == 0


def test_free_spans_are_no_overstay() -> None:
    open_night = [{"kind": "free", "from": at("18:30").isoformat(), "to": at("20:00").isoformat()}]
    filed = tariff(overstay={"filed": {"unit_min": 30, "fen": 500, "rounding": "up"}}, overrides=open_night)
    assert fee(filed, at("17:00"), at("20:15"), **LATE) == 400 + 2 * 500
    free_all = [{"kind": "free", "from": at("18:00").isoformat(), "to": at("20:00").isoformat()}]
    assert fee(tariff(overstay={"fixed_fen": 5000}, overrides=free_all), at("17:00"), at("20:00"), **LATE) == 400


def test_the_late_part_of_a_multiple_has_periods_and_caps_of_its_own() -> None:
    of = tariff(
        overstay={"multiplier_permille": 1333}, period={"kind": "rolling", "minutes": 1440, "cap_fen": [400, 800]}
    )
    bill = quote(of, at("17:00"), at("21:00"), **LATE)
    assert amounts(bill) == [("band", 400), ("band", 1200), ("period_cap", -800), ("overstay", 133)]
    assert bill.lines[-1].text == "超过预订时间，按1.333倍计费"


def test_an_overstay_is_exactly_one_kind_of_price() -> None:
    both = {"multiplier_permille": 2000, "fixed_fen": 100}
    for wrong, where in (({}, "multiplier_permille"), (both, "fixed_fen"), ({"filed": {}}, "filed.unit_min")):
        with pytest.raises(InvalidTariff) as refused:
            tariff(overstay=wrong)
        assert refused.value.details["where"] == f"parameters.overstay.{where}"


def test_a_proof_gives_longer_free_time_in_place_of_the_usual() -> None:
    of = tariff(
        free=free(by_class={"large": 60}), waivers={"ev": {"effect": "free_minutes", "minutes": 120, "when": "新能源"}}
    )
    assert fee(of, at("09:00"), at("11:00")) == 800
    assert fee(of, at("09:00"), at("11:00"), waiver="ev") == 0
    assert fee(of, at("09:00"), at("11:00"), "large", waiver="ev") == 0
    assert fee(of, at("09:00"), at("11:00:01"), waiver="ev") == 1200
    once = tariff(free=free(scope="once"), waivers={"ev": {"effect": "free_minutes", "minutes": 120}})
    assert fee(once, at("09:00"), at("10:00"), "small", [(at("01:00"), at("02:00"))], waiver="ev") == 400


def test_a_proof_of_free_minutes_needs_free_time_to_lengthen_and_a_length() -> None:
    ev = {"effect": "free_minutes", "minutes": 120}
    for waiver, where in ((ev, "waivers.ev"), ({"effect": "free_minutes"}, "waivers.ev.minutes")):
        with pytest.raises(InvalidTariff) as refused:
            tariff(waivers={"ev": waiver})
        assert refused.value.details["where"] == f"parameters.{where}"
    with pytest.raises(InvalidTariff):
        tariff(waivers={"ev": {"effect": "free", "minutes": 5}})


def test_the_first_stop_of_the_day_or_of_all_time_has_free_time() -> None:
    daily, once = tariff(free=free(scope="first_of_day")), tariff(free=free(scope="once"))
    stay, yesterday = (at("09:00", 1), at("09:10", 1), "small"), [(at("23:59:59"), at("00:30", 1))]
    today, later = [(at("00:00", 1), at("00:10", 1))], [(at("09:00:01", 1), at("09:05", 1))]
    assert [fee(daily, *stay, earlier) for earlier in ((), yesterday, today, later)] == [0, 0, 400, 0]
    assert [fee(once, *stay, earlier) for earlier in ((), yesterday, today, later)] == [0, 400, 400, 0]


def visits(of: Tariff, *stays: tuple[str, str]) -> list[int]:
    """The fee of each stay of one vehicle, one after the other; the order of the history does not matter."""
    spans = [(at(begin), at(end)) for begin, end in stays]
    return [fee(of, *span, "small", spans[:place][::-1]) for place, span in enumerate(spans)]


def test_stays_of_one_plate_on_a_day_cost_together_no_more_than_its_cap() -> None:
    of = tariff(plate_cap={"kind": "calendar_day", "fen": 1000})
    assert visits(of, ("08:00", "09:00"), ("10:00", "11:00"), ("12:00", "13:00"), ("14:00", "15:00")) == [
        400,
        400,
        200,
        0,
    ]
    bill = quote(of, at("12:00"), at("13:00"), "small", [(at("08:00"), at("09:30"))])
    assert amounts(bill) == [("band", 400), ("plate_cap", -200)]
    assert bill.lines[1].text == "同一车辆多次停车合计封顶，本次最多2元"
    over_midnight = [(at("22:00"), at("02:00", 1))]
    assert fee(of, at("09:00", 1), at("10:00", 1), "small", over_midnight) == 400


def test_a_rolling_cap_of_a_plate_looks_back_so_many_minutes_and_no_second_more() -> None:
    of = tariff(plate_cap={"kind": "rolling", "minutes": 120, "fen": 600})
    before = [(at("08:00"), at("09:00"))]
    assert fee(of, at("10:00"), at("11:00"), "small", before) == 200
    assert fee(of, at("10:00:01"), at("11:00:01"), "small", before) == 400
    assert visits(of, ("08:00", "09:00"), ("09:30", "10:30"), ("10:30", "11:30"), ("11:00", "12:00")) == [
        400,
        200,
        400,
        0,
    ]


def test_earlier_stays_are_priced_with_what_came_before_them() -> None:
    of = tariff(free=free(scope="first_of_day", minutes=60), plate_cap={"kind": "calendar_day", "fen": 1000})
    assert visits(of, ("08:00", "09:00"), ("10:00", "11:00"), ("12:00", "14:00")) == [0, 400, 600]


def charger(**changes: Any) -> Tariff:
    rule = {"grace_min": 15, "unit_min": 10, "fen": 100, "rounding": "up", "cap_fen": 500}
    return tariff(occupancy={**rule, **changes})


def test_a_held_charger_costs_its_own_fee_once_the_grace_is_over() -> None:
    of = charger()
    ended = at("09:00")
    assert quote_occupancy(of, ended, at("09:15")).lines == ()
    one = quote_occupancy(of, ended, at("09:15:01"))
    assert (one.total_fen, one.lines[0].rule, one.lines[0].units) == (100, "occupancy", 1)
    assert (one.lines[0].begins_at, one.lines[0].ends_at, one.lines[0].band) == (at("09:15"), at("09:15:01"), None)
    assert one.lines[0].text == "充电结束后占用充电车位 1个10分钟×1元"
    assert one.lines[0].amount_fen == 100
    assert [quote_occupancy(of, ended, at(end)).total_fen for end in ("09:25", "09:25:01", "23:00")] == [100, 200, 500]
    assert quote_occupancy(charger(cap_fen=None), ended, at("10:15")).total_fen == 600
    assert quote_occupancy(charger(unit_min=None, unit_s=9, fen=1), ended, at("09:16")).total_fen == 7


def test_no_charger_is_charged_for_without_a_filed_fee_nor_backwards_nor_for_years() -> None:
    assert quote_occupancy(tariff(), at("09:00"), at("23:00")).total_fen == 0
    with pytest.raises(EndsBeforeItBegins):
        quote_occupancy(charger(), at("09:00"), at("08:59:59"))
    with pytest.raises(StayTooLong):
        quote_occupancy(charger(), at("09:00"), at("09:00:01", 400))


def test_a_stay_of_400_days_is_the_longest() -> None:
    assert fee(tariff(), at("09:00"), at("09:00", 400)) == 400 * 24 * 400
    with pytest.raises(StayTooLong):
        quote(tariff(), at("09:00"), at("09:00", 400) + timedelta(seconds=1))


def test_a_unit_may_be_told_in_seconds_but_not_twice() -> None:
    step = {"minutes": None, "unit_s": 9, "fen": 1}
    of = tariff(bands=[{"name": "all", "from": "00:00", "to": "24:00", "days": "all", **HOURLY, "steps": [step]}])
    assert [fee(of, at("09:00"), at("09:00") + timedelta(seconds=s)) for s in (0, 9, 10, 3600)] == [0, 1, 2, 400]
    for wrong in ({**step, "unit_min": 1}, {"minutes": None, "fen": 1}):
        with pytest.raises(InvalidTariff):
            tariff(bands=[{"name": "all", "from": "00:00", "to": "24:00", "days": "all", **HOURLY, "steps": [wrong]}])


def test_free_spans_stand_on_the_bill_and_cut_pieces_on_both_sides() -> None:
    spans = [{"kind": "free", "from": at("12:00").isoformat(), "to": at("13:00").isoformat()}]
    bill = quote(day_and_night("round_each_segment", overrides=spans), at("11:30"), at("13:30"))
    assert amounts(bill) == [("free_span", 0), ("band", 400), ("band", 400)]
    assert (bill.lines[0].begins_at, bill.lines[0].ends_at) == (at("12:00"), at("13:00"))
    assert bill.lines[0].text == "免费时段，不计费"


def test_what_binds_people_is_kept_beside_the_price() -> None:
    of = tariff(
        overstay={"fixed_fen": 1, "after_cap": "tow", "pay_within_days": 3},
        waivers={"visit": {"effect": "free"}, "ev": {"effect": "free", "when": "新能源"}},
        contract={"prepaid": True}, entry_window={"from": "07:00", "to": "21:00"}, exit_window="any",
    )  # fmt: skip
    assert of.overstay is not None
    assert (of.overstay.after_cap, of.overstay.pay_within_days, of.overstay.grace_s) == ("tow", 3, 0)
    assert (of.waivers["visit"].when, of.waivers["ev"].when) == ("", "新能源")
    assert of.contract == {"prepaid": True}
    assert of.entry_window is not None
    assert (of.entry_window.begin, of.exit_window) == (7 * 3600, None)
    told = quote(of, at("09:00"), at("10:00"), waiver="visit").lines[0].text
    assert told == "凭证免费（visit）"
    assert quote(of, at("09:00"), at("10:00"), waiver="ev").lines[0].text == "凭证免费（新能源）"
