"""A price that holds is proved, one that does not is refuted by the worst stay, and nothing lies between."""

import copy
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.domain.pricing.rules import InvalidTariff, NoPrice, Tariff, classes_of, quote
from app.domain.pricing.rules.proofs import Proof, UnknownCombination, combined, prove
from app.domain.pricing.rules.proofs.remedies import Remedy, amounts
from app.domain.pricing.rules.spans import moment, wall
from tests.pricing.effort import trying
from tests.pricing.small_tariffs import (
    JUNE,
    Parameters,
    all_day,
    band,
    free_time,
    hourly,
    parameters,
    per_visit,
    plain_week,
    stepped,
    tariff,
)
from tests.pricing.test_properties import MONDAY

HOUR = 3600
FREE = {"method": "free"}


def refuted(proof: Proof) -> Any:
    assert proof.counterexample is not None
    return proof.counterexample


def stayed_s(proof: Proof) -> float:
    case = refuted(proof)
    return float((case.exit - case.entry).total_seconds())


def test_a_price_below_the_reference_everywhere_is_proved() -> None:
    proof = prove(hourly(400), [hourly(500)], JUNE)
    assert proof.holds
    assert not proof.unbounded
    assert proof.explain().startswith("通过")


def test_the_reference_itself_is_proved() -> None:
    assert prove(hourly(500), [hourly(500)], JUNE).holds


def test_one_fen_too_much_is_refuted_by_the_longest_and_therefore_worst_stay() -> None:
    proof = prove(hourly(501), [hourly(500)], JUNE)
    assert refuted(proof).excess_fen == 48
    assert stayed_s(proof) == 47 * HOUR + 1


def test_a_finer_unit_is_dearer_for_some_seconds_only() -> None:
    proof = prove(hourly(250, unit_min=30), [hourly(499)], JUNE, horizon_s=HOUR)
    assert refuted(proof).excess_fen == 1
    assert stayed_s(proof) == HOUR / 2 + 1


def test_free_time_makes_a_cheaper_rate_dearer_for_short_stays() -> None:
    proof = prove(hourly(100), [hourly(500, free=free_time(15))], JUNE)
    assert refuted(proof).excess_fen == 100
    assert (stayed_s(proof), refuted(proof).cap_fen) == (1, 0)


@pytest.mark.slow
def test_a_tail_that_is_one_minute_shorter_is_found() -> None:
    own = hourly(400, bands=[all_day(stepped(400, rounding="ignore_tail", tail_min=14))])
    reference = hourly(400, bands=[all_day(stepped(400, rounding="ignore_tail", tail_min=15))])
    assert prove(reference, [own], JUNE).holds
    proof = prove(own, [reference], JUNE)
    assert refuted(proof).excess_fen == 400
    assert stayed_s(proof) == 14 * 60 + 1


def test_a_cap_that_the_reference_alone_has_is_missed_by_long_stays() -> None:
    reference = hourly(400, period={"kind": "rolling", "minutes": 1440, "cap_fen": 2000})
    proof = prove(hourly(300), [reference], JUNE)
    assert refuted(proof).excess_fen == 48 * 300 - 4000
    assert prove(hourly(300, period={"kind": "rolling", "minutes": 720, "cap_fen": 1000}), [reference], JUNE).holds


def test_caps_of_calendar_days_and_of_rolling_days_differ_by_the_entry() -> None:
    rolling = hourly(400, period={"kind": "rolling", "minutes": 1440, "cap_fen": 2000})
    by_day = hourly(400, period={"kind": "calendar_day", "cap_fen": 2000})
    proof = prove(by_day, [rolling], JUNE)
    assert refuted(proof).excess_fen == 2000
    assert prove(rolling, [by_day], JUNE).counterexample is None


@pytest.mark.slow
def test_bands_that_begin_a_minute_apart_are_refuted_within_that_minute() -> None:
    def two_bands(edge: str) -> Tariff:
        return tariff(band("day", "08:00", edge, stepped(600)), band("night", edge, "08:00", stepped(100)))

    proof = prove(two_bands("20:01"), [two_bands("20:00")], JUNE, horizon_s=60)
    case = refuted(proof)
    assert case.excess_fen == 600
    assert case.entry.strftime("%H:%M") == "20:00"
    assert case.exit.strftime("%H:%M:%S") == "20:01:01"


def test_each_class_of_vehicle_is_proved() -> None:
    own = hourly(400, vehicle_classes={"small": {}, "large": {"multiplier_permille": 2000}})
    reference = hourly(500, vehicle_classes={"small": {}, "large": {"multiplier_permille": 1500}})
    assert refuted(prove(own, [reference], JUNE)).vehicle_class == "large"
    assert prove(own, [hourly(800)], JUNE).holds


def test_classes_that_only_their_free_time_tells_apart_are_proved_each() -> None:
    both: Parameters = {"small": {}, "large": {}}
    own = hourly(500, free=free_time(30, by_class={"large": 0}), vehicle_classes=both)
    case = refuted(prove(own, [hourly(500, free=free_time(30), vehicle_classes=both)], JUNE, horizon_s=HOUR))
    assert (case.vehicle_class, case.own.total_fen, case.cap_fen) == ("large", 500, 0)


def test_several_references_are_each_priced_at_their_own_place() -> None:
    by_day = [all_day(stepped(400), ["workday"], "work"), all_day(stepped(100), ["off"], "off")]
    proof = prove(hourly(150), [hourly(900), tariff(*by_day), hourly(800)], JUNE, horizon_s=HOUR)
    case = refuted(proof)
    assert [quote.total_fen for quote in case.references if quote] == [900, 100, 800]
    assert case.entry.isoweekday() >= 6


def test_a_class_that_the_reference_does_not_name_costs_what_any_vehicle_costs_there() -> None:
    own = hourly(400, vehicle_classes={"small": {}, "ev": {"multiplier_permille": 1500}})
    case = refuted(prove(own, [hourly(500)], JUNE))
    assert (case.vehicle_class, case.cap_fen) == ("ev", 48 * 500)


def test_the_least_favourable_earlier_stays_are_tried() -> None:
    own = hourly(500, free=free_time(30, scope="first_in_rolling_24h"))
    proof = prove(own, [hourly(500, free=free_time(30))], JUNE)
    case = refuted(proof)
    assert case.prior_stays
    assert quote(own, case.entry, case.exit, None, case.prior_stays).total_fen == 500
    assert prove(own, [hourly(500)], JUNE).holds


def test_earlier_stays_are_the_same_for_both_prices() -> None:
    once_a_day = hourly(500, free=free_time(30, scope="first_in_rolling_24h"))
    assert prove(once_a_day, [once_a_day], JUNE).holds


def plate_capped(fen: int, cap_fen: int) -> Tariff:
    return hourly(fen, plate_cap={"kind": "calendar_day", "fen": cap_fen})


@pytest.mark.slow
def test_earlier_stays_that_use_up_the_cap_of_a_plate_leave_nothing_to_be_charged() -> None:
    proof = prove(hourly(300), [plate_capped(500, 2000)], JUNE, horizon_s=HOUR)
    case = refuted(proof)
    assert (case.cap_fen, case.assumes_used_up) == (0, False)
    assert quote(plate_capped(500, 2000), case.entry, case.exit, None, case.prior_stays).total_fen == 0


@pytest.mark.slow
def test_the_same_cap_of_a_plate_is_used_up_alike() -> None:
    assert prove(plate_capped(500, 2000), [hourly(500)], JUNE, horizon_s=HOUR).holds
    assert refuted(prove(plate_capped(500, 2000), [plate_capped(500, 1999)], JUNE, horizon_s=HOUR)).excess_fen >= 1


@pytest.mark.slow
def test_a_tariff_with_a_cap_of_a_plate_is_proved_against_itself() -> None:
    assert prove(plate_capped(500, 2000), [plate_capped(500, 2000)], JUNE, horizon_s=HOUR).holds
    assert not prove(plate_capped(400, 2000), [plate_capped(500, 2000)], JUNE, horizon_s=HOUR).holds


@pytest.mark.slow
def test_the_same_stays_leave_an_equal_reference_what_they_leave_the_own_price() -> None:
    """Only a reference that is unlike the own price can be used up before it."""
    own = plate_capped(500, 2000)
    assert prove(own, [own, hourly(500)], JUNE, horizon_s=HOUR).holds
    assert prove(own, [own, plate_capped(500, 1999)], JUNE, "highest", horizon_s=HOUR).holds
    assert not prove(own, [own, plate_capped(500, 1999)], JUNE, horizon_s=HOUR).holds


def test_a_remedy_counts_that_a_lowered_price_equals_no_reference_any_more() -> None:
    own = plate_capped(500, 2000)
    (change,) = refuted(prove(own, [own, hourly(400)], JUNE, horizon_s=HOUR)).remedy.changes
    lowered = plate_capped(change.after_fen, 2000) if "steps" in change.path else plate_capped(500, change.after_fen)
    assert prove(lowered, [own, hourly(400)], JUNE, horizon_s=HOUR).holds


@pytest.mark.slow
def test_stays_that_use_up_a_cap_are_named_without_trying_every_entry() -> None:
    own = hourly(500, 1, plate_cap={"kind": "calendar_day", "fen": 2000})
    reference = hourly(500, 1, plate_cap={"kind": "calendar_day", "fen": 1999})
    proof = prove(own, [reference], JUNE, horizon_s=60)
    assert (refuted(proof).assumes_used_up, bool(refuted(proof).prior_stays)) == (False, True)
    assert proof.entries < 3 * 2 * 1440


@pytest.mark.slow
def test_earlier_stays_without_a_price_do_not_stop_a_proof() -> None:
    reference = hourly(500, plate_cap={"kind": "calendar_day", "fen": 2000}, longest_stay_min=60)
    case = refuted(prove(hourly(300), [reference], JUNE, horizon_s=HOUR))
    assert case.cap_fen == 0
    assert quote(reference, case.entry, case.exit, None, case.prior_stays).total_fen == 0


def test_a_rolling_cap_of_a_plate_may_be_used_up_before_midnight() -> None:
    """Only stays from midnight on last the twelve hours that the own price asks for."""
    half_days = band("am", "00:00", "12:00", stepped(100, 720, rounding="down")), band("pm", "12:00", "24:00", FREE)
    reference = hourly(100, 720, plate_cap={"kind": "rolling", "minutes": 1440, "fen": 9000})
    case = refuted(prove(tariff(*half_days), [reference], JUNE, horizon_s=12 * HOUR))
    assert (case.entry.strftime("%H:%M:%S"), case.assumes_used_up) == ("00:00:00", True)


def test_a_rule_that_conditions_tell_names_days_by_itself() -> None:
    days = {"sunday": {"weekdays": [7]}, "rest": {"otherwise": True}}
    sundays = [all_day(stepped(300), ["sunday"], "s"), all_day(stepped(100), ["rest"], "r")]
    own = tariff(*sundays, day_class_rule=days, boundary_policy="by_entry")
    rest_days = [all_day(stepped(300), ["off"], "o"), all_day(stepped(100), ["workday"], "w")]
    by_word = tariff(*rest_days, boundary_policy="by_entry")
    assert prove(own, [by_word], JUNE).holds
    case = refuted(prove(by_word, [own], JUNE, horizon_s=HOUR))
    assert (case.entry.isoweekday(), case.excess_fen) == (6, 200)


@pytest.mark.slow
def test_dates_that_a_rule_names_are_tried_though_no_calendar_reaches_them() -> None:
    games = {"games": {"any": [{"dates": [{"from": "2031-09-19", "to": "2031-09-20"}]}]}, "rest": {"otherwise": True}}
    bands = [all_day(stepped(300), ["games"], "g"), all_day(stepped(100), ["rest"], "r")]
    case = refuted(prove(tariff(*bands, day_class_rule=games), [hourly(200)], JUNE, horizon_s=HOUR))
    assert case.exit.date() in {date(2031, 9, 19), date(2031, 9, 20)}


WORKDAY_CHEAP = [all_day(stepped(100), ["workday"], "w"), all_day(stepped(500), ["off"], "o")]


def test_days_are_named_alike_for_both_prices() -> None:
    reference = [all_day(stepped(100), ["workday"], "w"), all_day(stepped(500), ["nonworkday"], "n")]
    assert prove(tariff(*WORKDAY_CHEAP), [tariff(*reference)], JUNE).holds
    assert not prove(hourly(101), [tariff(*reference)], JUNE).holds


@pytest.mark.slow
def test_only_sequences_that_the_calendar_can_produce_count() -> None:
    """An own price that is dearer on a work day between two days off alone; such a day exists in one calendar only."""
    own = tariff(*WORKDAY_CHEAP, boundary_policy="by_entry", period={"kind": "none", "cap_fen": 48 * 100})
    reference = tariff(*WORKDAY_CHEAP, period={"kind": "none", "cap_fen": 48 * 100})
    week = plain_week(date(2026, 6, 1), 7)
    only_workdays = plain_week(date(2026, 6, 1), 5)
    assert prove(own, [reference], {day: week[day] for day in only_workdays if day.day <= 3}).holds
    assert not prove(own, [reference], week).holds


def test_classes_that_no_calendar_tells_may_follow_each_other_in_any_order() -> None:
    own = tariff(all_day(stepped(100), ["market"], "m"), all_day(stepped(300), ["quiet"], "q"))
    same = tariff(all_day(stepped(100), ["market"], "m"), all_day(stepped(300), ["quiet"], "q"))
    swapped = tariff(all_day(stepped(300), ["market"], "m"), all_day(stepped(100), ["quiet"], "q"))
    assert prove(own, [same], JUNE).holds
    case = refuted(prove(own, [swapped], JUNE, horizon_s=HOUR))
    assert case.day_classes[case.entry.strftime("%Y-%m-%d")] == ["quiet"]


@pytest.mark.slow
def test_one_fen_in_one_minute_of_the_week_is_found() -> None:
    def on_sundays(fen: int) -> Tariff:
        return tariff(
            band("before", "00:00", "03:17", stepped(300), ["sunday"]),
            band("minute", "03:17", "03:18", per_visit(fen), ["sunday"]),
            band("after", "03:18", "24:00", stepped(300), ["sunday"]),
            all_day(stepped(300), ["other_day"]),
            boundary_policy="by_entry",
        )

    proof = prove(on_sundays(301), [on_sundays(300)], JUNE, horizon_s=4 * HOUR)
    assert refuted(proof).excess_fen == 1
    assert refuted(proof).entry.strftime("%H:%M") == "03:17"
    assert refuted(proof).remedy.as_dict() == {
        "changes": [{"path": "parameters.bands[1].fen", "from_fen": 301, "to_fen": 300}]
    }


def test_a_time_in_which_the_reference_is_free_bounds_the_own_price_by_nothing_to_pay() -> None:
    festival = [{"kind": "free", "from": "2026-02-17T00:00:00+08:00", "to": "2026-02-20T08:00:00+08:00"}]
    case = refuted(prove(hourly(100), [hourly(500, overrides=festival)], JUNE))
    assert case.cap_fen == 0
    assert case.entry.date() >= date(2026, 2, 15)
    assert prove(hourly(100, overrides=festival), [hourly(500, overrides=festival)], JUNE).holds


def test_a_stay_that_no_reference_prices_is_told_to_be_unbounded() -> None:
    proof = prove(hourly(100), [hourly(500, longest_stay_min=1440)], JUNE)
    assert proof.holds
    assert proof.unbounded
    assert "不受上限约束" in proof.explain()
    assert not prove(hourly(100), [hourly(500, longest_stay_min=1440), hourly(300)], JUNE).unbounded


@pytest.mark.parametrize(("rule", "holds"), [("lowest", False), ("average", True), ("highest", True)])
def test_several_references_combine_by_the_named_rule(rule: str, holds: bool) -> None:
    assert prove(hourly(350), [hourly(300), hourly(500)], JUNE, rule).holds is holds


def test_an_average_is_cut_to_whole_fen_and_an_unknown_rule_is_refused() -> None:
    assert combined("average", [100, 101]) == 100
    with pytest.raises(UnknownCombination) as asked:
        combined("median", [100])
    assert asked.value.details == {"combine": "median"}
    with pytest.raises(UnknownCombination) as refusal:
        prove(hourly(1), [hourly(2)], JUNE, "median")
    assert refusal.value.details == {"combine": "median"}


def test_a_remedy_passes_and_one_fen_more_does_not() -> None:
    own = parameters(band("day", "08:00", "20:00", stepped(600)), band("night", "20:00", "08:00", per_visit(500)))
    reference = tariff(band("day", "08:00", "20:00", stepped(450)), band("night", "20:00", "08:00", per_visit(500)))
    (change,) = refuted(prove(Tariff.load(own), [reference], JUNE)).remedy.changes
    assert (change.path, change.after_fen) == ("parameters.bands[0].steps[0].fen", 450)
    own["bands"][0]["steps"][0]["fen"] = change.after_fen
    assert prove(Tariff.load(own), [reference], JUNE).holds
    own["bands"][0]["steps"][0]["fen"] = change.after_fen + 1
    assert not prove(Tariff.load(own), [reference], JUNE).holds


def test_the_amount_that_loses_the_smallest_part_of_itself_is_lowered() -> None:
    """30 fen of 1,000 are a smaller change than 30 of 50."""

    def day_and_night(day_fen: int, night_fen: int) -> Tariff:
        return tariff(
            band("day", "08:00", "20:00", per_visit(day_fen)), band("night", "20:00", "08:00", per_visit(night_fen)),
            boundary_policy="by_entry", period={"kind": "none", "cap_fen": 1200},
        )  # fmt: skip

    reference = tariff(all_day(per_visit(1000)))
    case = refuted(prove(day_and_night(1000, 1200), [reference], JUNE))
    assert [(change.path, change.after_fen) for change in case.remedy.changes] == [("parameters.bands[1].fen", 1000)]

    def rate_and_entrance(rate_fen: int, entrance_fen: int) -> Tariff:
        flat = {"method": "flat_then_units", "flat_until_min": 0, "flat_fen": entrance_fen, "unit_min": 2880,
                "fen": rate_fen, "rounding": "up"}  # fmt: skip
        return tariff(all_day(flat))

    case = refuted(prove(rate_and_entrance(1000, 50), [tariff(all_day(per_visit(1020)))], JUNE))
    assert [(change.path, change.after_fen) for change in case.remedy.changes] == [("parameters.bands[0].fen", 970)]


def test_a_cap_is_lowered_where_that_takes_the_fewest_fen() -> None:
    def capped_band(cap_fen: int) -> Tariff:
        return tariff(all_day(stepped(500, band_cap={"fen": cap_fen})))

    (change,) = refuted(prove(capped_band(3000), [capped_band(2900)], JUNE)).remedy.changes
    assert (change.path, change.after_fen) == ("parameters.bands[0].band_cap.fen", 2900)


def test_where_no_single_rate_will_do_several_are_lowered_none_more_than_needed() -> None:
    def day_and_night(day_fen: int, night_fen: int) -> Tariff:
        return tariff(
            band("day", "08:00", "20:00", stepped(day_fen)), band("night", "20:00", "08:00", stepped(night_fen))
        )

    case = refuted(prove(day_and_night(600, 300), [day_and_night(500, 200)], JUNE))
    assert [change.after_fen for change in case.remedy.changes] == [500, 200]


@pytest.mark.slow
def test_a_rate_waits_for_no_cap_that_is_raised_after_it() -> None:
    def day_and_night(day_fen: int, night: Parameters, **more: Any) -> Tariff:
        return tariff(band("day", "08:00", "20:00", per_visit(day_fen)), band("night", "20:00", "08:00", night), **more)

    own = day_and_night(500, stepped(300), period={"kind": "calendar_day", "cap_fen": 2000})
    case = refuted(prove(own, [day_and_night(450, FREE)], JUNE))
    assert [(change.path, change.after_fen) for change in case.remedy.changes] == [
        ("parameters.bands[0].fen", 450),
        ("parameters.bands[1].steps[0].fen", 0),
    ]


def test_a_counterexample_is_told_line_by_line_in_chinese_and_as_plain_json() -> None:
    proof = prove(hourly(501), [hourly(500)], JUNE)
    told = proof.explain()
    assert told.startswith("未通过")
    assert "本停车场：" in told
    assert "参照1：" in told
    case = proof.as_dict()["counterexample"]
    assert case["own_fen"] - case["cap_fen"] == case["excess_fen"] == 48
    assert sum(line["amount_fen"] for line in case["own"]["lines"]) == case["own_fen"]


# -- held against every minute ----------------------------------------------------------------------------------------

small_steps = st.builds(stepped, st.integers(0, 30), st.sampled_from([10, 20]))
small_prices = small_steps | st.builds(per_visit, st.integers(0, 40)) | st.just({"method": "free"})
POLICIES = ["round_each_segment", "sum_per_band", "by_entry", "carry_part_unit"]
SPAN_MIN = 30


@st.composite
def small_periods(draw: st.DrawFn) -> Parameters:
    kinds: list[Parameters] = [{"kind": "none"}, {"kind": "rolling", "minutes": 20}, {"kind": "calendar_day"}]
    kind = draw(st.sampled_from(kinds))
    return {**kind, "cap_fen": draw(st.none() | st.integers(40, 60))}


@st.composite
def small(draw: st.DrawFn) -> Parameters:
    """A tariff with a grain of five minutes."""
    day, night = draw(small_prices), draw(small_prices)
    free = st.none() | st.builds(free_time, st.sampled_from([5, 10]), st.sampled_from(["waive_if_within", "deduct"]))
    return parameters(
        band("day", "08:00", "20:15", day), band("night", "20:15", "08:00", night),
        boundary_policy=draw(st.sampled_from(POLICIES)), period=draw(small_periods()), free=draw(free),
    )  # fmt: skip


def worst_of_every_minute(own: Tariff, reference: Tariff) -> int:
    """The greatest excess over all entries and exits on whole minutes, and one second beside each of them."""
    begin, none = wall(MONDAY), classes_of({})
    return max(
        quote(own, entry, exit_, None, (), none).total_fen - quote(reference, entry, exit_, None, (), none).total_fen
        for minute in range(1440)
        for entry in [moment(begin + minute * 60)]
        for stayed in range(SPAN_MIN)
        for exit_ in [entry + timedelta(seconds=stayed * 60 + 1 + minute % 2)]
    )


@pytest.mark.slow
@settings(deadline=None, max_examples=3, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(small(), small())
def test_a_proof_agrees_with_every_minute_of_the_day(own: Parameters, reference: Parameters) -> None:
    proof = prove(Tariff.load(own), [Tariff.load(reference)], JUNE, horizon_s=SPAN_MIN * 60)
    worst = worst_of_every_minute(Tariff.load(own), Tariff.load(reference))
    assert worst <= (0 if proof.holds else refuted(proof).excess_fen)
    assert proof.holds is (worst <= 0)


def raised(own: Tariff, told: Remedy, more: int) -> Tariff | None:
    """The own tariff with the remedy, and one of its amounts a fen higher; None where that makes no sense."""
    changed = copy.deepcopy(dict(own.parameters))
    places = {place.path: place for place in amounts(own.parameters)}
    for number, change in enumerate(told.changes):
        places[change.path].put(changed, change.after_fen + (number == more))
    try:
        return Tariff.load(changed)
    except InvalidTariff:
        return None


@trying(6)
@given(small(), small())
def test_a_remedy_passes_the_proof_itself_and_not_one_amount_of_it_may_be_a_fen_higher(
    own_told: Parameters, reference_told: Parameters
) -> None:
    own, reference = Tariff.load(own_told), [Tariff.load(reference_told)]
    case = prove(own, reference, JUNE, horizon_s=SPAN_MIN * 60).counterexample
    if case is None:
        return
    lowered = raised(own, case.remedy, -1)
    assert lowered is not None
    assert prove(lowered, reference, JUNE, horizon_s=SPAN_MIN * 60).holds
    for number in range(len(case.remedy.changes)):
        dearer = raised(own, case.remedy, number)
        assert dearer is None or not prove(dearer, reference, JUNE, horizon_s=SPAN_MIN * 60).holds


def test_no_price_is_not_a_fee_of_nothing() -> None:
    with pytest.raises(NoPrice):
        quote(
            hourly(1, longest_stay_min=60),
            datetime.fromisoformat("2026-06-01T00:00:00+08:00"),
            moment(wall(MONDAY) + 3601),
        )


@pytest.mark.parametrize("mode", ["waive_if_within", "deduct"])
def test_free_time_that_is_given_again_in_each_period_is_seen(mode: str) -> None:
    by_day = {"kind": "rolling", "minutes": 1440}
    again = hourly(400, free=free_time(30, mode, again_each_period=True), period=by_day)
    once = hourly(400, free=free_time(30, mode), period=by_day)
    assert prove(again, [once], JUNE).holds
    proof = prove(once, [again], JUNE)
    assert refuted(proof).excess_fen == 400
    assert stayed_s(proof) == 86_401
