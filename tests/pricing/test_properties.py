"""What holds for every tariff and every stay."""

from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.domain.pricing.rules import Quote, Tariff, hourly_text, quote
from app.kernel.clock import SHANGHAI
from tests.pricing.effort import trying
from tests.pricing.oracle import price
from tests.pricing.tariffs_at_random import DEAREST, layered, tariffs

MONDAY = datetime(2026, 6, 1, tzinfo=SHANGHAI)
vehicles = st.sampled_from(["small", "large", "own"])
entries = st.integers(0, 3 * 1440)
lengths = st.integers(0, 4 * 1440) | st.integers(0, 400)
grains = st.sampled_from([(60, 5000), (60, 400), (30, 3000), (20, 2000), (6, 2000), (1, 4000)])
"""Seconds of a tick, and how many of them a stay may last."""


def day_class(place: int) -> str:
    return "workday" if place % 7 < 5 else "off"


def calendar(day: date) -> str:
    return day_class((day - MONDAY.date()).days)


def at(minutes: float) -> datetime:
    return MONDAY + timedelta(minutes=minutes)


def second(of: int) -> datetime:
    return MONDAY + timedelta(seconds=of)


def quoted(parameters: dict[str, Any], entry: float, exit_: float, vehicle: str = "small") -> Quote:
    return quote(Tariff.load(parameters), at(entry), at(exit_), vehicle, (), calendar)


@st.composite
def stays(draw: st.DrawFn) -> tuple[int, int, int]:
    """Grain, entry and exit of a stay that the slow program can walk, often about midnight or the clock's edges."""
    grain, most = draw(grains)
    entry = draw(st.integers(0, 7 * 86_400 // grain)) * grain
    return grain, entry, entry + draw(st.integers(0, most)) * grain


@trying(500)
@given(layered(), stays(), vehicles, st.data())
def test_a_second_program_that_walks_every_tick_finds_the_same_fee(
    parameters: dict[str, Any], stay: tuple[int, int, int], vehicle: str, data: st.DataObject
) -> None:
    grain, entry, exit_ = stay
    holes = data.draw(st.lists(st.tuples(st.integers(entry // 60 - 60, exit_ // 60), st.integers(1, 600)), max_size=2))
    free_seconds = [(begin * 60, (begin + size) * 60) for begin, size in holes]
    overrides = [
        {"kind": "free", "from": second(begin).isoformat(), "to": second(end).isoformat()}
        for begin, end in free_seconds
    ]
    before = data.draw(st.lists(st.tuples(st.integers(0, 2 * 1440), st.integers(0, 300)), max_size=3))
    earlier = sorted((entry - begin * 60, entry + (length - begin) * 60) for begin, length in before)
    booked = data.draw(st.none() | st.integers(-30, 300)) if "overstay" in parameters else None
    proof = "proof" if "waivers" in parameters and data.draw(st.booleans()) else None
    expected = price(
        {**parameters, "free_seconds": free_seconds}, entry, exit_, vehicle, day_class, grain=grain, earlier=earlier,
        booked_end=None if booked is None else entry + booked * 60,
        proved_minutes=parameters["waivers"]["proof"]["minutes"] if proof else None,
    )  # fmt: skip
    bill = quote(
        Tariff.load({**parameters, "overrides": overrides}), second(entry), second(exit_), vehicle,
        [(second(begin), second(end)) for begin, end in earlier], calendar,
        booked_end=None if booked is None else second(entry + booked * 60), waiver=proof,
    )  # fmt: skip
    assert bill.total_fen == expected


@trying()
@given(layered(), entries, lengths, st.integers(0, 59), vehicles)
def test_lines_add_up_and_no_fee_is_negative(
    parameters: dict[str, Any], entry: int, length: int, seconds: int, vehicle: str
) -> None:
    exit_, booked_end = at(entry + length + seconds / 60), at(entry + length / 2)
    bill = quote(Tariff.load(parameters), at(entry), exit_, vehicle, (), calendar, booked_end=booked_end)
    assert bill.total_fen == sum(line.amount_fen for line in bill.lines) >= 0
    assert all(bill.entry <= line.begins_at <= line.ends_at <= bill.exit for line in bill.lines)
    caps = {"band_cap", "period_cap", "overstay_cap", "plate_cap", "free_time"}
    assert all(line.amount_fen <= 0 for line in bill.lines if line.rule in caps)
    assert all(line.text.strip() and "None" not in line.text for line in bill.lines)
    assert bill.explain().endswith("元")


@trying()
@given(tariffs(only_by_unit=True), entries, lengths, st.integers(0, 200_000), vehicles)
def test_who_stays_longer_never_pays_less(
    parameters: dict[str, Any], entry: int, length: int, more_seconds: int, vehicle: str
) -> None:
    short = quoted(parameters, entry, entry + length, vehicle)
    long = quoted(parameters, entry, entry + length + more_seconds / 60, vehicle)
    assert short.total_fen <= long.total_fen


@trying()
@given(tariffs(), entries, lengths, vehicles)
def test_a_period_never_costs_more_than_its_cap(
    parameters: dict[str, Any], entry: int, length: int, vehicle: str
) -> None:
    parameters["period"] = {"kind": "rolling", "minutes": 720, "cap_fen": DEAREST}
    periods = -(-length // 720)
    assert quoted(parameters, entry, entry + length, vehicle).total_fen <= DEAREST * periods


@trying()
@given(
    tariffs(), st.integers(DEAREST, 2000), st.lists(st.tuples(st.integers(0, 1439), st.integers(0, 300)), max_size=4)
)
def test_a_plates_stays_of_one_day_never_cost_more_than_its_cap(
    parameters: dict[str, Any], cap_fen: int, stays: list[tuple[int, int]]
) -> None:
    tariff = Tariff.load({**parameters, "plate_cap": {"kind": "calendar_day", "fen": cap_fen}})
    visits = [(at(entry), at(entry + length)) for entry, length in sorted(stays)]
    fees = [quote(tariff, *visit, "small", visits[:place], calendar).total_fen for place, visit in enumerate(visits)]
    assert sum(fees) <= cap_fen


@trying()
@given(tariffs(), entries, st.integers(1, 3 * 1440), vehicles)
def test_calendar_days_are_priced_each_by_itself(
    parameters: dict[str, Any], entry: int, length: int, vehicle: str
) -> None:
    parameters["period"] = {"kind": "calendar_day", "cap_fen": DEAREST}
    parameters["free"] = None
    exit_ = entry + length
    edges = [entry, *range((entry // 1440 + 1) * 1440, exit_, 1440), exit_]
    parts = [quoted(parameters, one, other, vehicle).total_fen for one, other in pairwise(edges)]
    assert quoted(parameters, entry, exit_, vehicle).total_fen == sum(parts)


@trying()
@given(tariffs(), entries, st.integers(1, 3 * 1440), vehicles)
def test_bands_that_round_for_themselves_are_priced_as_stays_of_their_own(
    parameters: dict[str, Any], entry: int, length: int, vehicle: str
) -> None:
    parameters |= {"boundary_policy": "round_each_segment", "free": None, "period": {"kind": "none", "cap_fen": None}}
    bands = [*parameters["bands"], *parameters["vehicle_classes"]["own"]["own_bands"]]
    for band in bands:
        band.update({"flat_until_min": 0} if band["method"] == "flat_then_units" else {})
    bill = quoted(parameters, entry, entry + length, vehicle)
    pieces = [line for line in bill.lines if line.rule == "band"]
    tariff = Tariff.load(parameters)
    alone = [quote(tariff, line.begins_at, line.ends_at, vehicle, (), calendar).total_fen for line in pieces]
    assert bill.total_fen == sum(alone)


@trying()
@given(layered(), entries, lengths, st.integers(0, 59), st.integers(1, 50), vehicles)
def test_a_week_of_equal_day_classes_earlier_or_later_changes_nothing(
    parameters: dict[str, Any], entry: int, length: int, seconds: int, weeks: int, vehicle: str
) -> None:
    exit_, shift = entry + length + seconds / 60, weeks * 7 * 1440
    assert (
        quoted(parameters, entry, exit_, vehicle).total_fen
        == quoted(parameters, entry + shift, exit_ + shift, vehicle).total_fen
    )


@trying()
@given(tariffs(), entries, lengths, st.integers(0, 999_999))
def test_a_fraction_of_a_second_costs_nothing(
    parameters: dict[str, Any], entry: int, length: int, microseconds: int
) -> None:
    tariff, fraction = Tariff.load(parameters), timedelta(microseconds=microseconds)
    whole = quote(tariff, at(entry), at(entry + length), "small", (), calendar)
    assert (
        quote(tariff, at(entry) + fraction, at(entry + length) + fraction, "small", (), calendar).lines == whole.lines
    )


@trying()
@given(layered(), entries, vehicles)
def test_every_tariff_can_be_told_in_words(parameters: dict[str, Any], moment: int, vehicle: str) -> None:
    told = hourly_text(Tariff.load(parameters), at(moment), calendar, vehicle)
    assert "None" not in told
    assert told.strip("；")
