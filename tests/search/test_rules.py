"""What a board reckons quickly, beside the plain way of reckoning it, in random cities."""

from datetime import UTC, datetime, timedelta
from math import asin, cos, radians, sin, sqrt
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.domain.search.rules.bays import Busy, Gaps
from app.domain.search.rules.board import Board, BoardLot
from app.domain.search.rules.grid import EARTH_RADIUS_M
from app.domain.search.rules.price_book import price_book
from app.domain.search.rules.timetable import Timetable

DAWN = datetime(2026, 6, 10, tzinfo=UTC)
MINUTES = st.integers(0, 120)
SPANS = st.tuples(MINUTES, st.integers(1, 60)).map(
    lambda span: (DAWN + timedelta(minutes=span[0]), DAWN + timedelta(minutes=span[0] + span[1]))
)
BAYS = st.lists(st.tuples(st.sampled_from(["standard", "charging", "large"]), st.lists(SPANS, max_size=4)), max_size=12)
PLACES = st.lists(st.tuples(st.floats(30.0, 30.1), st.floats(120.0, 120.1)), max_size=60)


@given(BAYS, SPANS)
def test_bays_are_counted_as_one_would_count_them_one_by_one(bays: list[tuple[str, list[Busy]]], span: Busy) -> None:
    gaps = Gaps.of(bays)
    counted = gaps.kinds.counts(gaps.free(span[0].timestamp(), span[1].timestamp()))
    assert counted == {kind: free_one_by_one(bays, kind, span) for kind, _ in bays}


def free_one_by_one(bays: list[tuple[str, list[Busy]]], kind: str, span: Busy) -> int:
    return sum(
        own == kind and not any(begins_at < span[1] and span[0] < ends_at for begins_at, ends_at in busy)
        for own, busy in bays
    )


def lot(number: int, latitude: float, longitude: float) -> BoardLot:
    return BoardLot(
        number, latitude, longitude, {"key": number}, "", takes_cars=True, timetable=Timetable.of(()),
        gaps=Gaps.of([]), prices=price_book(()),
    )  # fmt: skip


def haversine_m(latitude: float, longitude: float, other: BoardLot) -> float:
    north, east = radians(other.latitude - latitude) / 2, radians(other.longitude - longitude) / 2
    square = sin(north) ** 2 + cos(radians(latitude)) * cos(radians(other.latitude)) * sin(east) ** 2
    return 2 * EARTH_RADIUS_M * asin(sqrt(square))


@given(PLACES, st.floats(29.95, 30.15), st.floats(119.95, 120.15), st.integers(100, 20_000), st.integers(1, 25))
def test_the_nearest_lots_are_those_of_the_whole_city_sorted(
    places: list[Any], latitude: float, longitude: float, radius_m: int, limit: int
) -> None:
    board, lots = Board(), {number: lot(number, *place) for number, place in enumerate(places)}
    board.put(lots, lots)
    found = [(number, metres) for metres, number, _ in board.nearest(latitude, longitude, radius_m, None, limit)]
    distances = {number: round(haversine_m(latitude, longitude, each)) for number, each in lots.items()}
    near = sorted((metres, number) for number, metres in distances.items() if metres <= radius_m)
    assert [number for number, _ in found] == [number for _, number in near[:limit]]
    assert all(metres == distances[number] for number, metres in found)


@given(PLACES, st.integers(1, 7))
def test_pages_together_are_the_whole_list(places: list[Any], size: int) -> None:
    board, lots = Board(), {number: lot(number, *place) for number, place in enumerate(places)}
    board.put(lots, lots)
    whole, seen, after = board.nearest(30.05, 120.05, 20_000, None, 1_000), [], None
    while page := board.nearest(30.05, 120.05, 20_000, after, size):
        seen += page
        after = page[-1][:2]
    assert seen == whole


def test_lots_that_keep_the_same_hours_share_a_timetable() -> None:
    hours = [(DAWN, DAWN + timedelta(hours=8))]
    assert Timetable.of(hours) is Timetable.of(list(hours))
