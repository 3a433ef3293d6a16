"""The bay that a reservation's own question saw free, before anybody had locked it."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from flask import Flask
from psycopg import Connection
from psycopg.rows import TupleRow
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range

from app.domain.claims.actions import hold, promise
from app.domain.claims.models import BayClaim
from app.domain.claims.queries import claim_by_id
from app.domain.lots.models import Bay, Lot
from app.domain.motorists.actions import remember_plate
from app.domain.reservations.actions import reserve
from app.domain.reservations.queries.asked import Asked, asked
from app.kernel.db import transaction
from app.kernel.refusals import Refusal
from app.kernel.spans import span
from tests.world import Driver, driver, open_lot, some_plate

HOUR = timedelta(hours=1)


def bays_of(lot: Lot) -> list[int]:
    """In the order in which they are given away."""
    with transaction() as session:
        return list(session.scalars(select(Bay.id).where(Bay.lot_id == lot.id).order_by(Bay.kind.desc(), Bay.id)))


def reserved(who: Driver, lot: Lot, evening: datetime) -> BayClaim:
    made = reserve(who.id, who.vehicle_key, lot.key, evening + HOUR, evening + 2 * HOUR)
    with transaction():
        return claim_by_id(made.claim_id)


def test_it_is_the_one_that_is_given(evening: datetime) -> None:
    lot = open_lot(bays=3)
    assert [reserved(driver(), lot, evening).bay_id for _ in range(3)] == bays_of(lot)


def test_it_is_left_to_a_rival_who_has_it_locked(evening: datetime, admin: Connection[TupleRow]) -> None:
    lot = open_lot(bays=2)
    first, second = bays_of(lot)
    with admin.transaction():
        admin.execute("SELECT FROM bay WHERE id = %s FOR NO KEY UPDATE", [first])
        assert reserved(driver(), lot, evening).bay_id == second


def test_another_is_found_when_a_rival_was_quicker(
    app: Flask, evening: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    lot = open_lot(bays=2)
    first, second = bays_of(lot)
    during = span(evening + HOUR, evening + 2 * HOUR)

    def a_rival() -> None:
        with app.app_context():
            promise(lot.id, remember_plate(some_plate()), during, during)

    def seen_before_the_rival(
        motorist_id: int, vehicle_key: uuid.UUID, lot_key: uuid.UUID, during: Range[datetime]
    ) -> Asked:
        seen = asked(motorist_id, vehicle_key, lot_key, during)
        with ThreadPoolExecutor(1) as others:
            others.submit(a_rival).result()
        return seen

    monkeypatch.setitem(reserve.__globals__, "asked", seen_before_the_rival)
    claim = reserved(driver(), lot, evening)
    assert claim.bay_id == second
    with transaction() as session:
        assert session.scalars(select(BayClaim.bay_id).order_by(BayClaim.id)).all() == [first, second]


def test_an_offer_that_is_over_does_not_keep_it(evening: datetime, at: Callable[[datetime], None]) -> None:
    lot = open_lot(bays=1)
    during = span(evening + HOUR, evening + 2 * HOUR)
    offered = hold(lot.id, remember_plate(some_plate()), during, during, evening + timedelta(minutes=10))
    at(evening + timedelta(minutes=11))
    assert reserved(driver(), lot, evening).bay_id == offered.bay_id
    with transaction():
        assert claim_by_id(offered.id).state == "expired"


def test_of_rivals_who_all_saw_the_same_bays_as_many_win_as_there_are_bays(app: Flask, evening: datetime) -> None:
    lot = open_lot(bays=3)
    rivals = [driver() for _ in range(12)]

    def outcome(who: Driver) -> str:
        with app.app_context():
            try:
                reserved(who, lot, evening)
            except Refusal as refusal:
                return refusal.code
        return "won"

    with ThreadPoolExecutor(len(rivals)) as pool:
        outcomes = sorted(pool.map(outcome, rivals))
    assert outcomes == ["lot_full"] * 9 + ["won"] * 3
