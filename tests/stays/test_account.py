"""The account of a stay under lost jobs, late news, strangers and broken tariffs."""

from collections.abc import Callable
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select, text

from app.domain.policies.actions import lay_down
from app.domain.reservations.actions import release_missed, reserve
from app.domain.stays.actions import (
    adopt,
    open_payment,
    project,
    project_forgotten,
    review_long_stays,
    settle,
    settle_forgotten,
)
from app.domain.stays.models import Stay
from app.domain.stays.queries import StayNotFound, bills_of, current_for, due_of, one_for
from app.domain.tasks.models import Task
from app.kernel import clock
from app.kernel.db import transaction
from payments.charges.queries import charge
from tests.world import (
    Driver,
    ask,
    drive,
    driver,
    gate,
    gate_event,
    open_lot,
    paid,
    parked_stay,
    recorded,
    reservation_ready_to_cancel,
    some_plate,
)

Admin = psycopg.Connection[Any]
Move = Callable[[datetime], None]


def tasks() -> list[str]:
    with transaction() as session:
        return sorted(session.scalars(select(Task.kind)))


def state_of(stay: Stay) -> str:
    with transaction() as session:
        return session.get_one(Stay, stay.id).state


def stay_of(event_id: int) -> Stay:
    with transaction() as session:
        return session.scalars(select(Stay).where(Stay.entry_event_id == event_id)).one()


def pay_now(who: Driver, stay: Stay) -> None:
    paid(open_payment(who.id, stay.key))


def collected(stay: Stay) -> int:
    return sum(bill.amount_fen for bill in bills_of(stay.id) if bill.paid_at is not None)


def test_a_part_payment_learned_of_after_the_exit_does_not_settle_the_rest(evening: datetime, at: Move) -> None:
    who, lot = driver(), open_lot()
    stay = parked_stay(who, gate(lot))
    at(evening + timedelta(minutes=30))
    pay_now(who, stay)
    at(evening + timedelta(hours=10, minutes=5))
    drive(gate(lot, "out"), who.plate, evening + timedelta(hours=10))
    settle(bills_of(stay.id)[0].key)
    assert state_of(stay) == "owing"
    assert due_of(one_for(who.id, stay.key).stay).due_fen == 3000 - 300
    assert charge(open_payment(who.id, stay.key)).amount_fen == 2700


def test_a_payment_counts_before_its_job_has_run(evening: datetime, at: Move) -> None:
    who, lot = driver(), open_lot()
    stay = parked_stay(who, gate(lot))
    at(evening + timedelta(minutes=59))
    pay_now(who, stay)
    at(evening + timedelta(minutes=61))
    assert ask(gate(lot, "out"), who.plate).reason == "settled"
    drive(gate(lot, "out"), who.plate)
    assert (state_of(stay), collected(stay)) == ("settled", 300)


def test_no_more_than_the_fee_is_ever_earned(evening: datetime, at: Move) -> None:
    who, lot = driver(), open_lot()
    stay = parked_stay(who, gate(lot))
    at(evening + timedelta(minutes=30))
    pay_now(who, stay)
    settle_forgotten()
    at(evening + timedelta(hours=2))
    rest = open_payment(who.id, stay.key)
    drive(gate(lot, "out"), who.plate)
    paid(rest)
    settle_forgotten()
    assert (state_of(stay), collected(stay)) == ("settled", due_of(one_for(who.id, stay.key).stay).fee.fee_fen)


def test_a_lost_job_does_not_lose_the_settlement(evening: datetime, at: Move) -> None:
    who, lot = driver(), open_lot()
    stay = parked_stay(who, gate(lot))
    at(evening + timedelta(hours=2))
    drive(gate(lot, "out"), who.plate)
    pay_now(who, stay)
    with transaction() as session:
        session.execute(text("DELETE FROM procrastinate_jobs"))
    assert settle_forgotten() == 1
    assert state_of(stay) == "settled"
    assert settle_forgotten() == 0


def test_a_plate_typed_into_an_account_shows_nobodys_stay(evening: datetime) -> None:
    plate, lot = some_plate(), open_lot()
    spy = driver(plate)
    ask(gate(lot), plate)
    drive(gate(lot), plate)
    assert current_for(spy.id) is None


def test_who_scans_the_barriers_screen_takes_the_visit(evening: datetime, at: Move) -> None:
    owner, lot = driver(), open_lot()
    driver(owner.plate)
    drive(gate(lot), owner.plate)
    at(evening + timedelta(minutes=30))
    told = ask(gate(lot, "out"), owner.plate)
    stay = adopt(owner.id, told.charge["code"])
    assert charge(open_payment(owner.id, stay.key)).amount_fen == 300
    assert adopt(owner.id, told.charge["code"]).key == stay.key
    with pytest.raises(StayNotFound):
        adopt(driver().id, told.charge["code"])


def test_an_unknown_code_is_not_found(evening: datetime) -> None:
    with pytest.raises(StayNotFound):
        adopt(driver().id, "0" * 32)


def test_a_debt_that_belongs_to_nobody_is_a_task_and_can_still_be_taken(evening: datetime, at: Move) -> None:
    lot, plate = open_lot(), some_plate()
    code = ask(gate(lot), plate).charge["code"]
    drive(gate(lot), plate)
    at(evening + timedelta(minutes=30))
    drive(gate(lot, "out"), plate)
    assert tasks() == ["stay_owed_by_nobody"]
    stay = adopt(driver().id, code)
    assert [bill.amount_fen for bill in bills_of(stay.id)] == [300]


def test_a_lot_without_a_tariff_holds_up_no_car_and_no_other_lot(evening: datetime, at: Move, admin: Admin) -> None:
    who, lot = driver(), open_lot()
    stay = parked_stay(who, gate(lot))
    admin.execute("DELETE FROM lot_tariff WHERE lot_id = %s", [lot.id])
    at(evening + timedelta(minutes=30))
    assert ask(gate(lot, "out"), who.plate).reason == "unpriced"
    drive(gate(lot, "out"), who.plate)
    assert state_of(stay) == "owing"
    assert tasks() == ["stay_unbillable"]
    other = gate_event(gate(open_lot()), some_plate(), clock.now())
    project_forgotten()
    assert stay_of(other).state == "parked"


def test_a_suspect_clock_of_a_connected_gate_is_no_fee(evening: datetime) -> None:
    who, lot = driver(), open_lot()
    entrance = gate(lot)
    told = {
        "event_id": "E1", "seq": 1, "type": "passed", "clock_offset": -3600, "device_time": evening.isoformat(),
        "plate_raw": who.plate.characters, "plate_color": who.plate.colour,
    }  # fmt: skip
    [event_id] = recorded(entrance, [told])
    project([event_id])
    assert stay_of(event_id).entered_at >= evening
    assert "passage_with_a_suspect_clock" in tasks()


def test_a_car_told_to_drive_in_at_the_last_second_keeps_its_promise(evening: datetime, at: Move) -> None:
    who, lot = driver(), open_lot()
    made = reservation_ready_to_cancel(who, lot)
    entrance = gate(lot)
    at(made.begins_at + timedelta(minutes=29, seconds=55))
    assert ask(entrance, who.plate).reason == "reserved"
    at(made.begins_at + timedelta(minutes=30, seconds=5))
    release_missed()
    assert stay_of(drive(entrance, who.plate)).claim_id == made.claim_id


def test_of_two_bookings_for_a_plate_the_older_account_drives_in(evening: datetime, at: Move) -> None:
    owner = driver()
    stranger = driver(owner.plate)
    lot = open_lot()
    begins, ends = evening + timedelta(hours=1), evening + timedelta(hours=2)
    reserve(stranger.id, stranger.vehicle_key, lot.key, begins, ends)
    reserve(owner.id, owner.vehicle_key, lot.key, begins, ends)
    at(begins)
    assert stay_of(drive(gate(lot), owner.plate)).motorist_id == owner.id


def test_no_bill_grows_for_ever(evening: datetime, at: Move) -> None:
    who, lot = driver(), open_lot()
    lay_down("longest_billed_minutes", 600, evening - timedelta(days=1), "test")
    stay = parked_stay(who, gate(lot))
    at(evening + timedelta(days=30))
    assert due_of(one_for(who.id, stay.key).stay).due_fen == 3000
    assert review_long_stays() == 1
    assert review_long_stays() == 0


def test_a_passage_that_fails_keeps_no_other_waiting(
    app: Flask, evening: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    lot = open_lot()
    first = gate_event(gate(lot), some_plate(), clock.now())
    second = gate_event(gate(lot), some_plate(), clock.now())
    seen: list[int] = []

    def fails_once(plate_id: int) -> int:
        seen.append(plate_id)
        if len(seen) == 1:
            raise KeyError(plate_id)
        return plate_id

    monkeypatch.setattr(import_module("app.domain.stays.actions.project").claims, "lock_plate", fails_once)
    project([first, second])
    assert stay_of(second).state == "parked"
    assert "passage_failed" in tasks()
