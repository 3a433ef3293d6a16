"""The curves of a proof are the engine's own fees, exit by exit."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.pricing.rules import NoPrice, Tariff, no_day_classes, quote
from app.domain.pricing.rules.form import DAY_SECONDS
from app.domain.pricing.rules.proofs.curves import Drawing, fee_curve
from app.domain.pricing.rules.proofs.grid import grain
from app.domain.pricing.rules.proofs.ladders import Ladders
from app.domain.pricing.rules.proofs.layout import Layout
from app.domain.pricing.rules.proofs.steps import Curve
from app.domain.pricing.rules.spans import Span, moment, wall
from tests.pricing.effort import trying
from tests.pricing.small_tariffs import all_day, band, free_time, parameters, stepped
from tests.pricing.tariffs_at_random import layered, tariffs
from tests.pricing.test_properties import MONDAY, calendar, day_class, vehicles

BEGIN = wall(MONDAY)
windows = st.sampled_from([None, None, None, {"from": "08:00", "to": "20:00"}, {"from": "22:00", "to": "07:00"}])
longest = st.none() | st.none() | st.integers(1, 3000)
holes = st.lists(st.tuples(st.integers(0, 4000), st.integers(1, 600)), max_size=2)


def with_limits(parameters: dict[str, Any], day_begin: int, free_minutes: list[tuple[int, int]]) -> dict[str, Any]:
    spans = [(day_begin + begin * 60, day_begin + (begin + size) * 60) for begin, size in free_minutes]
    return {
        **parameters,
        "overrides": [
            {"kind": "free", "from": moment(begin).isoformat(), "to": moment(end).isoformat()} for begin, end in spans
        ],
    }


def with_a_gap(parameters: dict[str, Any]) -> dict[str, Any]:
    if len(parameters["bands"]) == 1:
        return parameters
    return {**parameters, "partial": True, "bands": parameters["bands"][:-1]}


def fee(tariff: Tariff, entry: int, exit_: int, vehicle: str, earlier: list[tuple[datetime, datetime]]) -> int | None:
    try:
        return quote(tariff, moment(entry), moment(exit_), vehicle, earlier, calendar).total_fen
    except NoPrice:
        return None


@pytest.mark.slow
@trying(100)
@given(
    tariffs(), st.integers(0, 6), st.integers(0, DAY_SECONDS - 1), st.sampled_from(["small", "large", "own"]),
    st.booleans(), holes, windows, longest, st.booleans(), st.sampled_from([6, 30, 48]),
    st.randoms(use_true_random=False),
)  # fmt: skip
def test_a_curve_says_for_every_exit_what_the_engine_says(  # noqa: PLR0917
    parameters: dict[str, Any], day: int, second: int, vehicle: str, first: bool, free_minutes: list[tuple[int, int]],
    usable: dict[str, str] | None, longest_min: int | None, gap: bool, hours: int, chance: Random,
) -> None:  # fmt: skip
    begin = BEGIN + day * DAY_SECONDS
    limited = with_limits(with_a_gap(parameters) if gap else parameters, begin, free_minutes)
    tariff = Tariff.load({**limited, "usable_window": usable, "longest_stay_min": longest_min})
    name, rule = tariff.class_of(vehicle)
    before = [] if first else [begin + second - 3600]
    earlier = [(moment(each), moment(each)) for each in before]
    has_free = tariff.free is None or tariff.free.is_given(begin + second, before)
    holes_of_day = [Span(hole.begin - begin, hole.end - begin) for hole in tariff.free_spans]
    grain_s = grain([tariff], holes_of_day)
    days = [frozenset({day_class(day + place)}) for place in range(3)]
    layout = Layout(tariff.bands_of(rule), days)
    horizon_s = hours * 3600
    drawing = Drawing(tariff, name, layout, Ladders(rule, grain_s, horizon_s), holes_of_day, horizon_s)
    entry, curve = begin + second, drawing.curve(second, has_free=has_free)

    edges = [chance.choice(curve.starts) - second + aside for _ in range(10) for aside in (-1, 0, 1)]
    for stayed in sorted({*edges, *(chance.randint(1, horizon_s) for _ in range(10))}):
        if 1 <= stayed <= horizon_s:
            assert curve.fen_at(second + stayed) == fee(tariff, entry, entry + stayed, vehicle, earlier), stayed


def test_a_waived_beginning_costs_nothing_and_what_follows_is_untouched() -> None:
    curve = Curve([1, 61, 121], [5, 10, 15])
    assert curve.free_until(0, 200) is curve
    for last in (1, 60, 61, 120):
        told = curve.free_until(last, 200)
        for exit_ in (1, last, last + 1, 121, 199):
            assert told.fen_at(exit_) == (0 if exit_ <= last else curve.fen_at(exit_)), (last, exit_)
    assert curve.free_until(200, 200).fens == [0]


@pytest.mark.parametrize("mode", ["deduct", "waive_if_within"])
@pytest.mark.parametrize("again", [False, True])
def test_each_class_has_the_free_time_that_is_named_for_it(mode: str, *, again: bool) -> None:
    free = free_time(30, mode, by_class={"large": 120}, again_each_period=again, measured_on="chargeable_time")
    told = parameters(
        band("day", "08:00", "20:00", stepped(400, 30)), band("night", "20:00", "08:00", {"method": "free"}),
        free=free, period={"kind": "calendar_day"}, vehicle_classes={"small": {}, "large": {}},
    )  # fmt: skip
    tariff, at = Tariff.load(told), MONDAY + timedelta(hours=7, minutes=30)
    for vehicle in ("small", "large"):
        curve = fee_curve(tariff, wall(at), 2 * DAY_SECONDS, vehicle, no_day_classes)
        for stayed in (*range(1, 4 * 3600, 599), 5400, 5401, 9000, 9001, 12 * 3600, 25 * 3600, 28 * 3600 + 1):
            bill = quote(tariff, at, at + timedelta(seconds=stayed), vehicle)
            assert curve.fen_at(stayed) == bill.total_fen, (vehicle, stayed)


@pytest.mark.slow
@trying(30)
@given(layered(), st.integers(0, 3 * DAY_SECONDS), vehicles, holes, st.lists(st.integers(1, 220_000), min_size=20))
def test_what_is_drawn_of_one_stay_is_what_it_costs(
    told: dict[str, Any], second: int, vehicle: str, free_minutes: list[tuple[int, int]], lengths: list[int]
) -> None:
    tariff, at = Tariff.load(with_limits(told, BEGIN, free_minutes)), MONDAY + timedelta(seconds=second)
    curve = fee_curve(tariff, wall(at), 220_000, vehicle, calendar)
    for length in lengths:
        bill = quote(tariff, at, at + timedelta(seconds=length), vehicle, (), calendar)
        assert curve.fen_at(length) == bill.total_fen


@pytest.mark.parametrize("policy", ["round_each_segment", "carry_part_unit", "by_entry", "sum_per_band"])
def test_what_is_drawn_knows_free_spans_day_classes_and_the_cap_of_a_plate(policy: str) -> None:
    bands = [all_day(stepped(100), ["workday"], "work"), all_day(stepped(7), ["off"], "off")]
    free_span = {"kind": "free", "from": "2026-06-05T23:50:00+08:00", "to": "2026-06-06T01:10:00+08:00"}
    told = parameters(
        *bands, boundary_policy=policy, overrides=[free_span], plate_cap={"kind": "calendar_day", "fen": 3000}
    )
    tariff, at = Tariff.load(told), MONDAY + timedelta(days=4, hours=20)
    curve = fee_curve(tariff, wall(at), 3 * DAY_SECONDS, "small", calendar)
    for stayed in range(1, 3 * DAY_SECONDS, 1801):
        assert (
            curve.fen_at(stayed) == quote(tariff, at, at + timedelta(seconds=stayed), "small", (), calendar).total_fen
        )
