"""Searching: which lots are shown for a stay, in which order, with how many open bays and at what price."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from app.domain.lots.models import Lot
from app.domain.lots.queries import METRES_PER_DEGREE, LotNotFound, Point
from app.domain.lots.rules import LOT
from app.domain.pricing import queries
from app.domain.reservations.actions import reserve
from app.domain.search.queries import Asked, OpenLot, find_open, forget, lot_page
from app.kernel import clock
from app.kernel.db import transaction
from tests.statements import statements
from tests.world import bound, driver, hourly, open_lot, reference, shanghai

HERE = Point(30.2, 120.1)
NOON = shanghai("2026-06-11 12:00")
"""A Thursday: offices work, lots are shut."""


def lot_at(metres_north: float, bays: int = 2, parameters: dict[str, Any] | None = None) -> Lot:
    """A lot so far north of HERE."""
    lot = open_lot(bays, parameters=parameters)
    with transaction() as session:
        placed = session.get_one(Lot, lot.id)
        placed.latitude, placed.longitude = HERE.latitude + metres_north / METRES_PER_DEGREE, HERE.longitude
    return lot


def put(lot: Lot, event: str) -> None:
    with transaction() as session:
        LOT.move(session.get_one(Lot, lot.id), event, "test")


def found(
    begins_at: datetime, hours: float = 2, radius_m: int = 2_000, after: tuple[int, int] | None = None, limit: int = 20
) -> Sequence[OpenLot]:
    return find_open(HERE, Asked(begins_at, begins_at + timedelta(hours=hours)), radius_m, after, limit)


def only(begins_at: datetime, hours: float = 2) -> OpenLot:
    (lot,) = found(begins_at, hours)
    return lot


def keys(rows: Sequence[OpenLot]) -> list[Any]:
    return [row.lot.told["key"] for row in rows]


def take_a_bay(lot: Lot, begins_at: datetime, hours: float = 1) -> None:
    who = driver()
    reserve(who.id, who.vehicle_key, lot.key, begins_at, begins_at + timedelta(hours=hours))


@pytest.fixture
def hour_from_now(evening: datetime) -> Callable[[float], datetime]:
    return lambda hours: evening + timedelta(hours=hours)


def test_the_nearest_lot_comes_first_with_its_distance_in_metres(evening: datetime) -> None:
    far, near, middle = lot_at(900), lot_at(100), lot_at(500)
    rows = found(evening)
    assert keys(rows) == [near.key, middle.key, far.key]
    assert [row.distance_m for row in rows] == [100, 500, 900]


def test_pages_follow_each_other_without_gap_or_repetition_even_at_the_same_distance(evening: datetime) -> None:
    lots = [lot_at(300) for _ in range(3)] + [lot_at(700), lot_at(200)]
    seen: list[Any] = []
    after = None
    while rows := found(evening, after=after, limit=2):
        seen += keys(rows)
        after = (rows[-1].distance_m, rows[-1].lot.id)
    assert seen == [lots[4].key, *(lot.key for lot in lots[:3]), lots[3].key]


def test_a_lot_beyond_the_radius_is_not_found_and_one_on_it_is(evening: datetime) -> None:
    on_it, _beyond = lot_at(1_000), lot_at(1_002)
    assert keys(found(evening, radius_m=1_000)) == [on_it.key]


@pytest.mark.parametrize("event", ["suspend", "withdraw"])
def test_a_lot_that_takes_nobody_is_not_listed(evening: datetime, event: str) -> None:
    put(lot_at(100), event)
    assert not found(evening)


def test_a_suspended_lot_still_has_its_page_and_a_withdrawn_one_has_none(evening: datetime) -> None:
    lot = lot_at(100)
    put(lot, "suspend")
    assert lot_page(lot.key, Asked(evening, evening + timedelta(hours=1))).lot.told["key"] == lot.key
    put(lot, "withdraw")
    with pytest.raises(LotNotFound):
        lot_page(lot.key, Asked(evening, evening + timedelta(hours=1)))


def test_the_page_of_a_lot_says_the_same_as_the_list(evening: datetime) -> None:
    lot = lot_at(0)
    listed, page = only(evening), lot_page(lot.key, Asked(evening, evening + timedelta(hours=2)))
    assert (page.lot.told, page[2:]) == (listed.lot.told, listed[2:])


def test_a_bay_counts_as_open_only_when_nobody_has_it_for_any_part_of_the_stay(
    evening: datetime, hour_from_now: Callable[[float], datetime]
) -> None:
    lot = lot_at(100)
    take_a_bay(lot, hour_from_now(3))
    assert only(hour_from_now(1), hours=3).bays.for_any_car == 1
    assert only(hour_from_now(1), hours=2).bays.for_any_car == 2, "the stay ends as the promise begins"
    assert only(hour_from_now(4), hours=2).bays.for_any_car == 2, "the promise ends as the stay begins"
    assert only(hour_from_now(1), hours=3).lot.told["shared_bays"] == 2


def test_a_full_lot_is_listed_with_no_open_bay(evening: datetime) -> None:
    lot = lot_at(100, bays=1)
    take_a_bay(lot, evening + timedelta(hours=1))
    assert only(evening).bays.for_any_car == 0


def test_an_open_lot_tells_its_hours_of_that_day_and_no_next_opening(evening: datetime) -> None:
    lot_at(100)
    row = only(evening)
    assert row.hours.is_open
    assert row.hours.next_opening is None
    assert [tuple(window) for window in row.hours.today] == [
        (shanghai("2026-06-10 00:00"), shanghai("2026-06-10 08:00")),
        (shanghai("2026-06-10 18:30"), shanghai("2026-06-11 00:00")),
    ]


def test_a_shut_lot_is_listed_with_its_next_opening_and_no_open_bay(evening: datetime) -> None:
    lot_at(100)
    row = only(NOON)
    assert (row.hours.is_open, row.bays.for_any_car, row.lot.told["shared_bays"]) == (False, 0, 2)
    assert row.hours.next_opening == shanghai("2026-06-11 18:30")


def test_a_stay_that_outlasts_the_open_hours_finds_no_bay(evening: datetime) -> None:
    lot_at(100)
    row = only(shanghai("2026-06-11 07:00"), hours=2)
    assert (row.hours.is_open, row.bays.for_any_car) == (True, 0)


def test_the_fee_is_that_of_the_whole_stay(evening: datetime) -> None:
    lot_at(100)
    row = only(evening, hours=2.5)
    assert (row.price.fee_fen, row.price.before_cap_fen) == (900, 900)


def test_a_cheaper_reference_lot_caps_the_fee_of_that_stay_and_a_dearer_one_does_not(evening: datetime) -> None:
    lot = lot_at(100)
    cheap, dear = (reference(hourly(fen)) for fen in (100, 900))
    bound(lot, dear)
    assert only(clock.now()).price.fee_fen == 600
    bound(lot, cheap, dear)
    row = only(clock.now())
    assert (row.price.fee_fen, row.price.before_cap_fen) == (200, 600)


def test_the_price_is_said_in_words(evening: datetime) -> None:
    lot_at(100)
    assert only(evening).price.text == "3元/小时"


def test_each_lot_is_priced_by_its_own_tariff(evening: datetime) -> None:
    lot_at(100, parameters=hourly(200))
    lot_at(200, parameters=hourly(500))
    assert [(row.price.fee_fen, row.price.text) for row in found(evening)] == [
        (400, "2元/小时"),
        (1000, "5元/小时"),
    ]


def test_the_board_is_built_with_equally_many_questions_for_one_lot_and_for_many(
    app: Flask, evening: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(lots: int) -> int:
        """How many statements a process sends that knows nothing yet, no tariff either."""
        forget()
        monkeypatch.setattr(queries, "_loaded", {})
        with statements() as sent:
            assert len(found(evening)) == lots
        return len(sent)

    lot_at(100)
    for_one = asked(1)
    for metres in range(200, 1_000, 100):
        lot_at(metres)
    assert asked(9) == for_one
