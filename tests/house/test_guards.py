"""What hand-written SQL cannot do to the city's rows as the program's role: each table keeps its own promises."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import LiteralString

import psycopg
import pytest
from psycopg.errors import CheckViolation, InsufficientPrivilege, IntegrityConstraintViolation

from app.domain.gates.actions import issue
from app.domain.lots.models import Lot
from app.domain.lots.rules import LOT
from app.domain.policies.actions import lay_down
from app.domain.pricing.queries import prices_of
from app.domain.stays.actions import open_payment, settle
from app.domain.stays.models import Stay
from app.domain.stays.queries import bills_of
from app.kernel.db import transaction
from app.kernel.terms import ChangeOutOfOrder
from payments.charges.actions.locks import lock_charge
from payments.charges.queries import charge
from tests.ground import Run
from tests.payments.world import owed
from tests.world import (
    HOURLY,
    charge_by,
    drive,
    driver,
    gate,
    hourly,
    open_lot,
    ordered,
    paid,
    parked_stay,
    pay_to,
    payee,
    reservation_ready_to_cancel,
    tariff,
)

HOUR = timedelta(hours=1)
ACTOR = "test"


def constraint(refusal: pytest.ExceptionInfo[psycopg.Error]) -> str | None:
    return refusal.value.diag.constraint_name


def test_the_tariff_changes_from_a_moment_on_and_the_old_one_stays_readable(evening: datetime) -> None:
    lot = open_lot(parameters=HOURLY)
    charge_by(lot, tariff(hourly(500)), evening + HOUR)
    assert [fee(lot, evening), fee(lot, evening + HOUR)] == [300, 500]


def fee(lot: Lot, at: datetime) -> int:
    """What the first hour costs for a car that enters then."""
    with transaction():
        return prices_of(lot.id, at, at + HOUR).fee(at, at + HOUR, "small", []).fee_fen


def test_a_tariff_for_then_or_later_must_not_be_overtaken(evening: datetime) -> None:
    lot = open_lot()
    with pytest.raises(ChangeOutOfOrder):
        charge_by(lot, tariff(), evening - timedelta(days=2))


def rows_that_hold(evening: datetime) -> None:
    """A row in each table of rows that hold from a moment on; each ends in two hours."""
    lot, at = open_lot(), evening + 2 * HOUR
    lay_down("live_reservations", 1, evening, ACTOR)
    lay_down("live_reservations", 2, at, ACTOR)
    pay_to(lot, payee(), at)
    charge_by(lot, tariff(), at)


@pytest.mark.parametrize("table", ["lot_payee", "lot_tariff", "policy_number"])
@pytest.mark.parametrize(
    "span",
    ["lower(valid) + interval '1 hour', upper(valid)", "lower(valid) - interval '1 hour', upper(valid)",
     "lower(valid), lower(valid)", "lower(valid), upper(valid) + interval '1 hour'"],
    ids=["begins later", "begins earlier", "never was", "lasts longer"],
)  # fmt: skip
def test_what_holds_from_a_moment_on_is_shortened_at_its_end_and_nowhere_else(
    evening: datetime, run: Run, table: str, span: str
) -> None:
    rows_that_hold(evening)
    run(f"UPDATE {table} SET valid = tstzrange(lower(valid), lower(valid) + interval '90 minutes')")  # noqa: S608
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        run(f"UPDATE {table} SET valid = tstzrange({span})")  # noqa: S608
    assert constraint(refusal) == f"{table}_only_ends"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE lot_payee SET payee_id = payee_id",
        "UPDATE lot_tariff SET tariff_id = tariff_id",
        "UPDATE policy_number SET value = 9",
        "UPDATE reference_version SET tariff_id = tariff_id",
    ],
)
def test_what_held_from_a_moment_on_is_never_rewritten(evening: datetime, run: Run, change: LiteralString) -> None:
    rows_that_hold(evening)
    with pytest.raises(InsufficientPrivilege):
        run(change)


@pytest.fixture
def gone(evening: datetime, at: Callable[[datetime], None]) -> Stay:
    """A stay that cost 600 fen, ended and is owed; its motorist has one vehicle and one bay claim."""
    who, lot = driver(), open_lot()
    stay = parked_stay(who, gate(lot))
    at(evening + 1.5 * HOUR)
    drive(gate(lot, "out"), who.plate)
    with transaction() as session:
        ended = session.get_one(Stay, stay.id, populate_existing=True)
        ended.motorist_id = ended.motorist_id or who.id
        return ended


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE stay SET lot_id = lot_id",
        "UPDATE stay SET entered_at = entered_at - interval '1 hour'",
        "UPDATE stay SET plate_id = NULL",
        "UPDATE stay SET vehicle_class = 'large'",
        "UPDATE bay_claim SET plate_id = NULL",
        "UPDATE bay_claim SET kind = 'reservation'",
        "UPDATE bay_claim SET exclusive_plate = false",
        "UPDATE passage_outcome SET projected_at = now()",
        "UPDATE vehicle SET motorist_id = motorist_id",
        "UPDATE vehicle SET added_at = now()",
        "UPDATE motorist SET key = gen_random_uuid()",
        "UPDATE calendar_version SET status = 'official'",
        "UPDATE gate_event SET plate_id = NULL",
        "UPDATE gate_decision SET reason = 'reserved'",
        *[f"DELETE FROM {table}" for table in ("stay", "bay_claim", "bill", "plate", "vehicle", "motorist", "charge")],  # noqa: S608
        "DELETE FROM gate_event",
    ],
)
def test_the_program_has_no_right_to_it(gone: Stay, run: Run, change: str) -> None:
    assert gone.id
    with pytest.raises(InsufficientPrivilege):
        run(change)


@pytest.mark.parametrize(
    ("change", "refused_by"),
    [
        ("UPDATE stay SET exited_at = exited_at - interval '1 hour'", "a_stay_ends_once_and_keeps_its_owner"),
        ("UPDATE stay SET exit_event_id = entry_event_id", "a_stay_ends_once_and_keeps_its_owner"),
        ("UPDATE stay SET motorist_id = NULL", "a_stay_ends_once_and_keeps_its_owner"),
        ("UPDATE stay SET state = 'parked', exited_at = NULL", "a_stay_ends_once_and_keeps_its_owner"),
        ("UPDATE passage_outcome SET outcome = 'repeated'", "a_passage_is_understood_once"),
        ("UPDATE passage_outcome SET outcome = 'review', stay_id = NULL", "a_passage_is_understood_once"),
        ("UPDATE plate SET kind = kind", "plate_is_append_only"),
        ("UPDATE plate SET value_enc = 'x'", "plate_is_append_only"),
        ("UPDATE plate SET bidx = 'x'", "plate_is_append_only"),
        ("UPDATE vehicle SET plate_id = 0", "a_vehicle_keeps_its_plate"),
        ("UPDATE motorist SET openid_enc = 'x'", "a_motorist_is_erased_once"),
        ("UPDATE motorist SET session_version = session_version - 1", "a_session_version_grows"),
    ],
)
def test_what_happened_once_stays_so(gone: Stay, run: Run, change: str, refused_by: str) -> None:
    assert run("UPDATE motorist SET session_version = session_version + 1 WHERE id = %s", gone.motorist_id) == 1
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        run(change)
    assert constraint(refusal) == refused_by


def test_a_plate_can_be_locked_though_it_never_changes(gone: Stay, run: Run) -> None:
    assert run("SELECT FROM plate WHERE id = %s FOR UPDATE", gone.plate_id) == 1


def test_a_removed_vehicle_does_not_come_back(gone: Stay, run: Run) -> None:
    assert run("UPDATE vehicle SET removed_at = added_at WHERE motorist_id = %s", gone.motorist_id) == 1
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        run("UPDATE vehicle SET removed_at = NULL WHERE motorist_id = %s", gone.motorist_id)
    assert constraint(refusal) == "a_removed_vehicle_stays_removed"


def test_a_settled_stay_never_owes_again(gone: Stay, run: Run) -> None:
    bill = bills_of(gone.id)[0] if bills_of(gone.id) else None
    key = bill.charge_key if bill else open_payment(gone.motorist_id or 0, gone.key)
    assert key is not None
    paid(key)
    settle(charge(key).source_key)
    with pytest.raises(CheckViolation) as refusal:
        run("UPDATE stay SET state = 'owing' WHERE id = %s", gone.id)
    assert constraint(refusal) == "stay_follows_its_graph"


@pytest.mark.parametrize(
    ("change", "refused_by"),
    [
        ("UPDATE charge SET state = 'closing' WHERE state = 'created'", "charge_tells_each_move"),
        ("UPDATE stay SET state = 'settled' WHERE state = 'owing'", "stay_tells_each_move"),
        ("UPDATE bay_claim SET state = 'cancelled' WHERE state = 'confirmed'", "bay_claim_tells_each_move"),
        ("UPDATE gate_command SET state = 'expired' WHERE state = 'pending'", "gate_command_tells_each_move"),
        ("UPDATE payment_order SET state = 'closing' WHERE state = 'preparing'", "payment_order_tells_each_move"),
    ],
)
def test_no_state_changes_without_its_event(gone: Stay, run: Run, change: str, refused_by: str) -> None:
    something_of_everything(gone)
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        run(change)
    assert constraint(refusal) == refused_by


def something_of_everything(gone: Stay) -> None:
    """Beside a stay that owes: a promise, a pending command, and an order of a charge."""
    with transaction() as session:
        lot = session.get_one(Lot, gone.lot_id)
    reservation_ready_to_cancel(driver(), lot)
    issue(gate(lot).id, "sync", {}, ACTOR)
    with transaction():
        ordered(lock_charge(owed(payee()).key))


def test_a_row_is_not_born_without_its_event(gone: Stay, run: Run) -> None:
    born = """
    INSERT INTO bay_claim (bay_id, kind, during, admit_from, admit_until, state)
    SELECT bay_id, 'walk_in', during, admit_from, admit_until, 'in_use' FROM bay_claim WHERE id = %s
    """
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        run(born, gone.claim_id)
    assert constraint(refusal) == "bay_claim_tells_each_move"


def test_an_event_of_long_ago_does_not_stand_for_a_move_of_today(evening: datetime, run: Run) -> None:
    lot = open_lot()
    for event in ("suspend", "reopen"):
        with transaction() as session:
            LOT.move(session.get_one(Lot, lot.id), event, ACTOR)
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        run("UPDATE lot SET state = 'suspended' WHERE id = %s", lot.id)
    assert constraint(refusal) == "lot_tells_each_move"
