"""What holds for every tariff and every stay."""

from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.pricing.rules import Quote, Tariff, hourly_text, quote
from app.kernel.clock import SHANGHAI
from tests.pricing.oracle import price
from tests.pricing.tariffs_at_random import tariffs

MONDAY = datetime(2026, 6, 1, tzinfo=SHANGHAI)
patiently = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
vehicles = st.sampled_from(["small", "large", "own"])
entries = st.integers(0, 3 * 1440)
lengths = st.integers(0, 4 * 1440) | st.integers(0, 400)


def day_class(place: int) -> str:
    return "workday" if place % 7 < 5 else "off"


def calendar(day: date) -> str:
    return day_class((day - MONDAY.date()).days)


def at(minutes: float) -> datetime:
    return MONDAY + timedelta(minutes=minutes)


def quoted(parameters: dict[str, Any], entry: float, exit_: float, vehicle: str = "small") -> Quote:
    return quote(Tariff.load(parameters), at(entry), at(exit_), vehicle, (), calendar)


@settings(patiently, max_examples=300)
@given(tariffs(), entries, lengths, vehicles, st.booleans(), st.lists(st.tuples(entries, lengths), max_size=2))
def test_a_second_program_that_walks_every_minute_finds_the_same_fee(
    parameters: dict[str, Any], entry: int, length: int, vehicle: str, first: bool, holes: list[tuple[int, int]]
) -> None:
    free_minutes = [(begin, begin + max(size, 1)) for begin, size in holes]
    overrides = [
        {"kind": "free", "from": at(begin).isoformat(), "to": at(end).isoformat()} for begin, end in free_minutes
    ]
    expected = price(
        {**parameters, "free_minutes": free_minutes}, entry, entry + length, vehicle, day_class, first_today=first
    )
    history = [] if first else [at(entry - 60)]
    tariff = Tariff.load({**parameters, "overrides": overrides})
    bill = quote(tariff, at(entry), at(entry + length), vehicle, history, calendar)
    assert bill.total_fen == expected


@patiently
@given(tariffs(), entries, lengths, st.integers(0, 59), vehicles)
def test_lines_add_up_and_no_fee_is_negative(
    parameters: dict[str, Any], entry: int, length: int, seconds: int, vehicle: str
) -> None:
    bill = quoted(parameters, entry, entry + length + seconds / 60, vehicle)
    assert bill.total_fen == sum(line.amount_fen for line in bill.lines) >= 0
    assert all(bill.entry <= line.begins_at <= line.ends_at <= bill.exit for line in bill.lines)
    assert all(line.amount_fen <= 0 for line in bill.lines if line.rule in {"band_cap", "period_cap", "free_time"})
    assert bill.explain().endswith("元")


@patiently
@given(tariffs(only_by_unit=True), entries, lengths, st.integers(0, 200_000), vehicles)
def test_who_stays_longer_never_pays_less(
    parameters: dict[str, Any], entry: int, length: int, more_seconds: int, vehicle: str
) -> None:
    short = quoted(parameters, entry, entry + length, vehicle)
    long = quoted(parameters, entry, entry + length + more_seconds / 60, vehicle)
    assert short.total_fen <= long.total_fen


@patiently
@given(tariffs(), entries, lengths, vehicles)
def test_a_period_never_costs_more_than_its_cap(
    parameters: dict[str, Any], entry: int, length: int, vehicle: str
) -> None:
    parameters["period"] = {"kind": "rolling", "minutes": 720, "cap_fen": 1000}
    periods = -(-length // 720)
    assert quoted(parameters, entry, entry + length, vehicle).total_fen <= 1000 * periods


@patiently
@given(tariffs(), entries, st.integers(1, 3 * 1440), vehicles)
def test_calendar_days_are_priced_each_by_itself(
    parameters: dict[str, Any], entry: int, length: int, vehicle: str
) -> None:
    parameters["period"] = {"kind": "calendar_day", "cap_fen": 800}
    parameters["free"] = None
    exit_ = entry + length
    edges = [entry, *range((entry // 1440 + 1) * 1440, exit_, 1440), exit_]
    parts = [quoted(parameters, one, other, vehicle).total_fen for one, other in pairwise(edges)]
    assert quoted(parameters, entry, exit_, vehicle).total_fen == sum(parts)


@patiently
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


@patiently
@given(tariffs(), entries, lengths, st.integers(0, 999_999))
def test_a_fraction_of_a_second_costs_nothing(
    parameters: dict[str, Any], entry: int, length: int, microseconds: int
) -> None:
    tariff, fraction = Tariff.load(parameters), timedelta(microseconds=microseconds)
    whole = quote(tariff, at(entry), at(entry + length), "small", (), calendar)
    assert (
        quote(tariff, at(entry) + fraction, at(entry + length) + fraction, "small", (), calendar).lines == whole.lines
    )


@patiently
@given(tariffs(), entries, vehicles)
def test_every_tariff_can_be_told_in_words(parameters: dict[str, Any], moment: int, vehicle: str) -> None:
    told = hourly_text(Tariff.load(parameters), at(moment), calendar, vehicle)
    assert "None" not in told
    assert told.strip("；")
