"""From entry to exit: who may pass, what it costs, and what becomes of the bay."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select, text

from app.domain.claims.queries import claim_by_id, open_bays
from app.domain.gates.models import GateCommand
from app.domain.lots.models import Lot
from app.domain.lots.rules import LOT
from app.domain.reservations.actions import reserve
from app.domain.stays.actions import (
    NothingToPay,
    open_payment,
    project,
    project_backlog,
    project_forgotten,
    release_unpassed,
    settle,
)
from app.domain.stays.actions.project import AT_ONCE
from app.domain.stays.models import Bill, Stay, TurnAway
from app.domain.stays.queries import StayNotFound, bills_of, current_for, due_of, one_for
from app.domain.tasks.models import Task
from app.jobs.handlers import run
from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.spans import span
from launcher.processes import await_that
from payments.charges.models import Charge
from payments.charges.queries import charge
from tests.races import somebody_waits
from tests.world import (
    ask,
    drive,
    driver,
    gate,
    gate_event,
    hourly,
    open_lot,
    paid,
    parked_stay,
    reservation_ready_to_cancel,
    shanghai,
    some_plate,
)

Move = Callable[[datetime], None]
FREE = {"free": None, "bands": [{"name": "free", "from": "00:00", "to": "24:00", "days": "all", "method": "free"}]}


def open_tasks() -> set[str]:
    with transaction() as session:
        return set(session.scalars(select(Task.kind)))


def charge_of(bill: Bill) -> Charge:
    assert bill.charge_key is not None
    return charge(bill.charge_key)


def stay_of(event_id: int) -> Stay:
    with transaction() as session:
        return session.scalars(select(Stay).where(Stay.entry_event_id == event_id)).one()


def test_a_reserved_car_is_let_in_and_its_bay_is_in_use(evening: datetime, at: Move) -> None:
    who, lot = driver(), open_lot()
    made = reservation_ready_to_cancel(who, lot)
    entrance = gate(lot)
    at(made.begins_at - timedelta(minutes=10))
    assert ask(entrance, who.plate).reason == "reserved"
    stay = stay_of(drive(entrance, who.plate))
    assert stay.motorist_id == who.id
    with transaction():
        assert claim_by_id(made.claim_id).state == "in_use"


def test_a_car_that_is_promised_a_bay_waits_for_no_other_gate(
    evening: datetime, at: Move, admin: psycopg.Connection[Any]
) -> None:
    who, lot = driver(), open_lot()
    made, entrance = reservation_ready_to_cancel(who, lot), gate(lot)
    at(made.begins_at)
    with psycopg.connect(admin.info.dsn, password=admin.info.password) as rival:
        rival.execute("SELECT id FROM plate FOR NO KEY UPDATE")
        assert ask(entrance, who.plate).reason == "reserved"


def test_an_outages_passages_are_understood_by_a_job_and_what_a_person_must_see_is_a_task_at_once(
    evening: datetime,
) -> None:
    entrance, at = gate(open_lot(bays=1)), evening - timedelta(hours=1)
    told = [gate_event(entrance, some_plate(), at, "denied") for _ in range(AT_ONCE)]
    passed, followed = gate_event(entrance, some_plate(), at), gate_event(entrance, some_plate(), at, "tailgate")
    project_backlog([*told, passed, followed])
    assert "car_followed_without_opening" in open_tasks()
    with transaction() as session:
        assert session.scalars(select(Stay)).all() == []
        waiting = text("SELECT task_name FROM procrastinate_jobs WHERE task_name LIKE 'stays.%'")
        assert session.scalars(waiting).all() == ["stays.project_forgotten"]
    run("stays.project_forgotten", {})
    assert stay_of(passed).entered_at == at


def test_a_car_without_reservation_is_let_in_while_a_bay_is_free(evening: datetime) -> None:
    lot = open_lot(bays=1)
    entrance = gate(lot)
    assert ask(entrance, some_plate()).reason == "walk_in"
    assert ask(entrance, some_plate()).reason == "full"


def test_a_turn_away_is_recorded_with_the_occupancy_at_that_instant(evening: datetime) -> None:
    lot = open_lot(bays=1)
    entrance = gate(lot)
    ask(entrance, some_plate())
    ask(entrance, some_plate())
    with transaction() as session:
        told = session.scalars(select(TurnAway)).one()
    assert (told.reason, told.shared_bays, told.occupied_bays) == ("full", 1, 1)


@pytest.mark.parametrize(("when", "reason"), [("2026-06-10 12:00", "closed"), ("2026-06-11 07:50", "closed")])
def test_outside_the_window_nobody_is_let_in(evening: datetime, at: Move, when: str, reason: str) -> None:
    entrance = gate(open_lot())
    at(shanghai(when))
    assert ask(entrance, some_plate()).reason == reason


def test_a_suspended_lot_turns_cars_away_for_that_reason(evening: datetime) -> None:
    lot = open_lot()
    entrance = gate(lot)
    with transaction() as session:
        LOT.move(session.get_one(Lot, lot.id), "suspend", "test")
    assert ask(entrance, some_plate()).reason == "suspended"


def test_a_plate_nobody_could_read_calls_an_attendant(evening: datetime) -> None:
    assert ask(gate(open_lot()), None).decision == "manual"


def test_a_car_that_turned_round_at_the_gate_gives_its_bay_back(evening: datetime, at: Move) -> None:
    lot = open_lot(bays=1)
    entrance = gate(lot)
    ask(entrance, some_plate())
    at(evening + timedelta(minutes=11))
    assert release_unpassed() == 1
    assert ask(entrance, some_plate()).reason == "walk_in"


def test_a_car_must_pay_before_it_may_leave(evening: datetime, at: Move) -> None:
    who, lot = driver(), open_lot()
    stay = parked_stay(who, gate(lot))
    at(evening + timedelta(minutes=90))
    told = ask(gate(lot, "out"), who.plate)
    assert (told.reason, told.charge["due_fen"]) == ("unpaid", 600)
    key = open_payment(who.id, stay.key)
    assert charge(key).amount_fen == 600


def test_who_paid_leaves_within_the_grace_without_paying_more(evening: datetime, at: Move) -> None:
    who, lot = driver(), open_lot()
    stay = parked_stay(who, gate(lot))
    exit_gate = gate(lot, "out")
    at(evening + timedelta(minutes=59))
    paid(open_payment(who.id, stay.key))
    settle(bills_of(stay.id)[0].key)
    at(evening + timedelta(minutes=70))
    assert ask(exit_gate, who.plate).reason == "settled"
    drive(exit_gate, who.plate)
    assert one_for(who.id, stay.key).stay.state == "settled"
    assert charge_of(bills_of(stay.id)[0]).state == "fulfilled"


def test_who_paid_and_then_stayed_on_owes_the_rest(evening: datetime, at: Move) -> None:
    who, lot = driver(), open_lot()
    stay = parked_stay(who, gate(lot))
    at(evening + timedelta(minutes=59))
    paid(open_payment(who.id, stay.key))
    settle(bills_of(stay.id)[0].key)
    at(evening + timedelta(minutes=150))
    assert due_of(one_for(who.id, stay.key).stay).due_fen == 900 - 300
    assert charge(open_payment(who.id, stay.key)).amount_fen == 600


def test_a_car_that_waits_at_the_exit_is_let_out_when_it_has_paid(evening: datetime, at: Move) -> None:
    who, lot = driver(), open_lot()
    stay = parked_stay(who, gate(lot))
    exit_gate = gate(lot, "out")
    at(evening + timedelta(minutes=30))
    ask(exit_gate, who.plate)
    paid(open_payment(who.id, stay.key))
    settle(bills_of(stay.id)[0].key)
    settle(bills_of(stay.id)[0].key)
    with transaction() as session:
        commands = session.scalars(select(GateCommand).where(GateCommand.type == "open")).all()
    assert [command.device_id for command in commands] == [exit_gate.id]


def test_an_exit_that_is_told_late_is_billed_to_the_moment_of_leaving(evening: datetime, at: Move) -> None:
    who, lot = driver(), open_lot()
    stay = parked_stay(who, gate(lot))
    at(evening + timedelta(hours=5))
    drive(gate(lot, "out"), who.plate, evening + timedelta(minutes=61))
    view = one_for(who.id, stay.key)
    assert view.stay.state == "owing"
    assert [bill.amount_fen for bill in bills_of(stay.id)] == [600]
    paid(open_payment(who.id, stay.key))
    settle(bills_of(stay.id)[0].key)
    assert one_for(who.id, stay.key).stay.state == "settled"


def test_the_bay_is_free_again_when_the_car_has_left(evening: datetime, at: Move) -> None:
    who, lot = driver(), open_lot(bays=1)
    parked_stay(who, gate(lot))
    at(evening + timedelta(minutes=30))
    drive(gate(lot, "out"), who.plate)
    assert open_bays([lot.id], span(clock.now(), clock.now() + timedelta(hours=2)), clock.now()) == {lot.id: 1}


def test_a_car_that_leaves_after_its_bay_was_due_to_another_has_left(evening: datetime, at: Move) -> None:
    lot, car = open_lot(bays=1), some_plate()
    reservation_ready_to_cancel(driver(), lot)
    stay = stay_of(drive(gate(lot), car))
    at(evening + timedelta(minutes=90))
    drive(gate(lot, "out"), car)
    with transaction() as session:
        assert session.get_one(Stay, stay.id).state == "owing"


def test_a_stay_that_costs_nothing_settles_without_an_order(evening: datetime, at: Move) -> None:
    free = {**FREE, "boundary_policy": "single_band", "period": {"kind": "none", "cap_fen": None}}
    who, lot = driver(), open_lot(parameters={**free, "vehicle_classes": {"small": {}}, "default_class": "small"})
    stay = parked_stay(who, gate(lot))
    with pytest.raises(NothingToPay):
        open_payment(who.id, stay.key)
    drive(gate(lot, "out"), who.plate)
    assert one_for(who.id, stay.key).stay.state == "settled"
    bill = bills_of(stay.id)[0]
    assert (bill.amount_fen, charge_of(bill).state) == (0, "fulfilled")
    with transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM payment_order")) == 0
        assert session.scalar(text("SELECT count(*) FROM journal")) == 0


def test_the_same_passage_told_twice_is_one_stay(evening: datetime) -> None:
    who, lot = driver(), open_lot(parameters=hourly(0))
    entrance = gate(lot)
    first = drive(entrance, who.plate)
    project([first])
    drive(entrance, who.plate, clock.now())
    leaving = drive(gate(lot, "out"), who.plate)
    project([leaving])
    with transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM stay")) == 1
        assert session.scalars(select(Task.kind)).all() == []


def test_an_exit_told_before_its_entry_still_ends_the_stay(evening: datetime, at: Move) -> None:
    who, lot = driver(), open_lot()
    at(evening + timedelta(hours=3))
    drive(gate(lot, "out"), who.plate, evening + timedelta(hours=1))
    assert "passage_out_not_understood" in open_tasks()
    event_id = drive(gate(lot), who.plate, evening)
    stay = stay_of(event_id)
    assert (stay.state, stay.exited_at) == ("owing", evening + timedelta(hours=1))


def test_passages_of_one_plate_are_understood_one_after_the_other(
    app: Flask, evening: datetime, at: Move, admin: psycopg.Connection[Any]
) -> None:
    """Told at the same instant, an entry and an exit would otherwise miss each other."""
    who, lot = driver(), open_lot()
    stay = parked_stay(who, gate(lot))
    at(evening + timedelta(hours=1))
    leaving = gate_event(gate(lot, "out"), who.plate, clock.now())

    def understand() -> None:
        with app.app_context():
            project([leaving])

    with psycopg.connect(admin.info.dsn, password=admin.info.password) as rival, ThreadPoolExecutor(1) as pool:
        rival.execute("SELECT id FROM plate FOR UPDATE")
        done = pool.submit(understand)
        await_that(lambda: done.done() or somebody_waits(admin), seconds=10)
        assert not done.done()
        rival.commit()
        done.result()
    assert one_for(who.id, stay.key).stay.state == "owing"


def test_a_passage_forgotten_by_a_crash_is_understood_later(evening: datetime) -> None:
    who, lot = driver(), open_lot()
    event_id = gate_event(gate(lot), who.plate, clock.now())
    assert project_forgotten() == 1
    assert stay_of(event_id).state == "parked"
    assert project_forgotten() == 0


def test_an_exit_without_entry_is_a_task_and_never_a_fee(evening: datetime) -> None:
    drive(gate(open_lot(), "out"), some_plate())
    assert open_tasks() == {"passage_out_not_understood"}


def test_a_car_that_a_gate_let_in_on_its_own_into_a_full_lot_is_a_stay_and_a_task(evening: datetime) -> None:
    lot = open_lot(bays=1)
    entrance = gate(lot)
    drive(entrance, some_plate())
    stay = stay_of(drive(entrance, some_plate()))
    assert stay.claim_id is None
    assert open_tasks() == {"stay_without_bay"}


def test_adding_a_plate_reveals_nothing_of_its_stays(evening: datetime) -> None:
    who, lot = driver(), open_lot()
    stay = parked_stay(who, gate(lot))
    stranger = driver(who.plate)
    assert current_for(stranger.id) is None
    with pytest.raises(StayNotFound):
        one_for(stranger.id, stay.key)


def test_a_booking_counts_for_the_account_that_made_it(evening: datetime, at: Move) -> None:
    owner = driver()
    stranger = driver(owner.plate)
    lot = open_lot()
    reserve(stranger.id, stranger.vehicle_key, lot.key, evening + timedelta(hours=1), evening + timedelta(hours=2))
    at(evening + timedelta(hours=1))
    stay = stay_of(drive(gate(lot), owner.plate))
    assert stay.motorist_id == stranger.id


def test_an_older_sum_is_withdrawn_when_a_newer_one_is_asked_for(evening: datetime, at: Move) -> None:
    who, lot = driver(), open_lot()
    stay = parked_stay(who, gate(lot))
    at(evening + timedelta(minutes=30))
    older = open_payment(who.id, stay.key)
    assert open_payment(who.id, stay.key) == older
    at(evening + timedelta(minutes=90))
    newer = open_payment(who.id, stay.key)
    assert (charge(older).state, charge(newer).amount_fen) == ("closed", 600)


def test_a_bill_is_never_rewritten(evening: datetime, at: Move) -> None:
    who, lot = driver(), open_lot()
    stay = parked_stay(who, gate(lot))
    at(evening + timedelta(minutes=30))
    open_payment(who.id, stay.key)
    with pytest.raises(Exception, match="a bill is never rewritten"), transaction() as session:
        session.scalars(select(Bill)).one().fee_fen = 1
