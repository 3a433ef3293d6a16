"""Giving a bay back, in time, late, and never twice."""

from collections.abc import Callable
from datetime import datetime, timedelta

import psycopg
import pytest

from app.domain.claims.actions import seat
from app.domain.claims.queries import claim_by_id, open_bays, overstaying
from app.domain.lots.models import Bay
from app.domain.motorists.actions import remember_plate
from app.domain.reservations.actions import cancel, follow_overstays, release_missed
from app.domain.reservations.queries import ReservationNotFound
from app.domain.tasks.queries import tasks
from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.spans import bounds, span
from app.kernel.states import WrongState
from tests.world import driver, gate, open_lot, reservation_ready_to_cancel, some_plate, staff


def test_a_cancelled_reservation_frees_its_bay(evening: datetime) -> None:
    who, lot = driver(), open_lot(bays=1)
    made = reservation_ready_to_cancel(who, lot)
    assert cancel(who.id, made.key).in_time
    during = span(made.begins_at, made.ends_at)
    assert open_bays([lot.id], during, clock.now()) == {lot.id: 1}


def test_a_late_cancellation_is_accepted_and_remembered_as_late(
    evening: datetime, at: Callable[[datetime], None]
) -> None:
    who, lot = driver(), open_lot()
    made = reservation_ready_to_cancel(who, lot)
    at(made.begins_at - timedelta(minutes=29))
    assert not cancel(who.id, made.key).in_time


def test_cancelling_twice_is_refused(evening: datetime) -> None:
    who = driver()
    made = reservation_ready_to_cancel(who, open_lot())
    cancel(who.id, made.key)
    with pytest.raises(WrongState):
        cancel(who.id, made.key)


def test_nobody_cancels_for_somebody_else(evening: datetime) -> None:
    made = reservation_ready_to_cancel(driver(), open_lot())
    with pytest.raises(ReservationNotFound):
        cancel(driver().id, made.key)
    with transaction():
        assert claim_by_id(made.claim_id).state == "confirmed"


def test_a_car_that_does_not_come_in_time_loses_its_bay(evening: datetime, at: Callable[[datetime], None]) -> None:
    made = reservation_ready_to_cancel(driver(), open_lot())
    at(made.begins_at + timedelta(minutes=34))
    assert release_missed() == 0
    at(made.begins_at + timedelta(minutes=36))
    assert release_missed() == 1
    with transaction():
        assert claim_by_id(made.claim_id).state == "no_show"


def test_who_waits_for_a_silent_gate_keeps_nobody_behind_waiting(
    evening: datetime, at: Callable[[datetime], None], admin: psycopg.Connection[tuple[object, ...]]
) -> None:
    silent, other = open_lot(), open_lot()
    waits = reservation_ready_to_cancel(driver(), silent)
    late = reservation_ready_to_cancel(driver(), other)
    admin.execute("UPDATE gate_pulse SET reported_until = %s WHERE device_id = %s", [evening, gate(silent).id])
    at(late.begins_at + timedelta(minutes=36))
    assert (release_missed(limit=1), release_missed(limit=1)) == (1, 0)
    with transaction():
        assert [claim_by_id(each.claim_id).state for each in (waits, late)] == ["confirmed", "no_show"]
    at(waits.ends_at)
    assert release_missed(limit=1) == 1


def test_each_overstaying_car_has_its_turn_though_others_cannot_be_helped(
    evening: datetime, at: Callable[[datetime], None]
) -> None:
    lot, hour = open_lot(bays=3), timedelta(hours=1)
    for _ in range(3):
        seat(lot.id, remember_plate(some_plate()), evening, evening + hour)
    at(evening + hour)
    with transaction():
        assert len({overstaying(evening + hour, 1)[0] for _ in range(100)}) == 3


def test_a_promise_behind_an_overstaying_car_moves_to_another_bay(
    evening: datetime, at: Callable[[datetime], None]
) -> None:
    lot = open_lot(bays=1)
    seated = seat(lot.id, remember_plate(some_plate()), evening, evening + timedelta(hours=1))
    made = reservation_ready_to_cancel(driver(), lot)
    add_a_bay(lot.id)
    at(evening + timedelta(minutes=50))
    follow_overstays()
    with transaction():
        assert claim_by_id(made.claim_id).bay_id != seated.bay_id
        assert bounds(claim_by_id(seated.id).during)[1] > evening + timedelta(hours=1)


def test_where_no_bay_is_left_for_the_promise_behind_people_of_the_lot_are_asked(
    evening: datetime, at: Callable[[datetime], None]
) -> None:
    lot = open_lot(bays=1)
    seated = seat(lot.id, remember_plate(some_plate()), evening, evening + timedelta(hours=1))
    reservation_ready_to_cancel(driver(), lot)
    at(evening + timedelta(minutes=50))
    follow_overstays()
    [asked] = tasks(staff("unit", unit_id=lot.unit_id))
    assert (asked.kind, asked.subject_id) == ("overstay_displaces_a_promise", seated.id)


def add_a_bay(lot_id: int) -> None:
    with transaction() as session:
        session.add(Bay(lot_id=lot_id, number="B001", zone="B", kind="standard", shared=True))
