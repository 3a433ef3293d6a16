"""What no process can do to debts and holds, whatever it believes: the tables and their locks say no."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from flask import Flask
from psycopg.errors import InsufficientPrivilege, IntegrityError, LockNotAvailable

from app.domain.arrears.actions import pause
from app.domain.lots.models import Lot
from app.domain.reservations.actions import reserve
from app.domain.stays.actions import open_payment
from app.kernel import clock
from app.kernel.db import transaction
from launcher.processes import await_that
from tests.arrears.scene import DAY, HOUR, At, arrear, deferral, held, left_unpaid
from tests.ground import Addresses
from tests.races import at_once, somebody_waits
from tests.world import Driver, gate, paid, parked_stay, reservation_ready_to_cancel, staff

Run = Callable[..., None]
HOLD = "UPDATE arrear SET noticed_at = owed_since, reminded_at = owed_since, held_at = owed_since"
OWED = (
    "INSERT INTO arrear (key, stay_key, lot_id, motorist_id, payee_id, amount_fen, charge_key, left_at, owed_since) "
    "SELECT gen_random_uuid(), %s, lot_id, motorist_id, charge.payee_id, charge.amount_fen, charge.key, %s, %s "
    "FROM charge JOIN stay USING (motorist_id)"
)
AGAIN = (
    "INSERT INTO reservation (key, motorist_id, vehicle_id, lot_id, claim_id, agreement_signature_id, begins_at, "
    "ends_at, made_at) SELECT gen_random_uuid(), motorist_id, vehicle_id, lot_id, claim_id, agreement_signature_id, "
    "begins_at, ends_at, made_at FROM reservation"
)


@pytest.fixture
def connected(servers: Addresses) -> Callable[..., Any]:
    """A connection as the program's role, in a transaction that waits for locks for ever, or no longer than told."""

    @contextmanager
    def connect(lock_timeout: str = "0") -> Iterator[psycopg.Connection]:
        with psycopg.connect(servers.app.replace("+psycopg", "", 1)) as connection:
            connection.execute(f"SET LOCAL lock_timeout = '{lock_timeout}'".encode())
            yield connection

    return connect


@pytest.fixture
def run(connected: Callable[..., Any]) -> Run:
    def run_it(statement: str, *values: object, lock_timeout: str = "0") -> None:
        with connected(lock_timeout) as connection:
            connection.execute(statement, values or None)

    return run_it


def test_a_hold_waits_for_a_reservation_in_the_making(who: Driver, lot: Lot, run: Run, at: At) -> None:
    left_unpaid(who, lot, at)
    with transaction():
        reservation_ready_to_cancel(who, lot)
        with pytest.raises(LockNotAvailable):
            run(HOLD, lock_timeout="30ms")
    run(HOLD)


def test_a_reservation_waits_for_a_hold_in_the_making_and_is_then_refused(
    who: Driver, lot: Lot, connected: Callable[..., Any], run: Run, at: At
) -> None:
    left_unpaid(who, lot, at)
    reservation_ready_to_cancel(who, lot)
    with connected() as holding:
        holding.execute(HOLD)
        with pytest.raises(LockNotAvailable):
            run(AGAIN, lock_timeout="30ms")
    with pytest.raises(IntegrityError) as refusal:
        run(AGAIN)
    assert refusal.value.diag.constraint_name == "who_owes_reserves_nothing_new"


def test_a_debt_that_is_written_down_while_it_is_paid_is_not_owed(
    who: Driver, lot: Lot, run: Run, at: At, admin: psycopg.Connection[Any]
) -> None:
    stay = parked_stay(who, gate(lot))
    at(clock.now() + HOUR / 2)
    key = open_payment(who.id, stay.key)
    with ThreadPoolExecutor(1) as pool:
        with transaction():
            paid(key)
            written = pool.submit(run, OWED, stay.key, clock.now(), clock.now())
            await_that(lambda: written.done() or somebody_waits(admin), seconds=10)
            assert not written.done()
        written.result()
    assert not arrear(stay).owing
    run("UPDATE arrear SET owing = true")
    assert not arrear(stay).owing


def test_nobody_is_refused_after_his_payment_whoever_asks_meanwhile(app: Flask, who: Driver, lot: Lot, at: At) -> None:
    stay = held(who, lot, at)
    key = open_payment(who.id, stay.key)

    def reserving(days: int) -> Callable[[], object]:
        begins_at = clock.now() + HOUR + days * DAY
        return lambda: reserve(who.id, who.vehicle_key, lot.key, begins_at, begins_at + HOUR)

    assert "done" in at_once(app, lambda: paid(key), reserving(1))
    reserving(0)()


MANY = {
    "a_stay_is_owed_for_once": (
        "INSERT INTO arrear (key, stay_key, lot_id, payee_id, amount_fen, left_at, owed_since) "
        "SELECT gen_random_uuid(), stay_key, lot_id, payee_id, 300, left_at, owed_since FROM arrear"
    ),
    "an_arrear_is_what_its_charge_asks": "UPDATE arrear SET amount_fen = 1",
    "an_arrear_is_whose_charge_it_is": "UPDATE arrear SET motorist_id = motorist_id + 1",
    "nobody_is_held_to_it_before_he_was_told": "UPDATE arrear SET noticed_at = NULL",
    "an_arrear_is_paused_once_at_a_time": (
        "INSERT INTO arrear_pause (arrear_id, reason, paused_by, paused_at) "
        "SELECT arrear_id, reason, paused_by, paused_at FROM arrear_pause"
    ),
    "nobody_approves_his_own_deferral": "UPDATE pay_later SET approved_by = recorded_by",
    "a_lot_defers_on_one_basis_at_a_time": (
        "INSERT INTO pay_later (key, lot_id, document_no, reason, file_id, valid, recorded_by, recorded_at, "
        "approved_by, approved_at) SELECT gen_random_uuid(), lot_id, document_no, reason, file_id, valid, recorded_by, "
        "recorded_at, approved_by, approved_at FROM pay_later"
    ),
}


@pytest.mark.parametrize(("refused_by", "statement"), MANY.items(), ids=MANY)
def test_the_tables_refuse(who: Driver, lot: Lot, run: Run, at: At, refused_by: str, statement: str) -> None:
    pause(staff("regulator"), held(who, lot, at).key, "示例")
    deferral(lot)
    with pytest.raises(IntegrityError) as refusal:
        run(statement)
    assert refusal.value.diag.constraint_name == refused_by


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM arrear", "UPDATE arrear SET left_at = owed_since", "UPDATE arrear_pause SET reason = '示例'",
        "DELETE FROM arrear_pause", "UPDATE pay_later SET valid = valid", "DELETE FROM pay_later",
    ],
)  # fmt: skip
def test_nothing_is_rewritten(evening: object, run: Run, statement: str) -> None:
    with pytest.raises(InsufficientPrivilege):
        run(statement)
