"""What hand-written SQL cannot do to the city's rows as the program's role: each table keeps its own promises."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg.errors import CheckViolation, ForeignKeyViolation, InsufficientPrivilege, IntegrityConstraintViolation

from app.domain.gates.actions import issue
from app.domain.lots import actions as lots
from app.domain.lots.actions import PayeeNotOfThisUnit, PayeeNotThere
from app.domain.lots.models import Lot
from app.domain.lots.queries import payee_at
from app.domain.lots.rules import LOT
from app.domain.policies.actions import lay_down
from app.domain.pricing.queries import prices_of
from app.domain.stays.actions import open_payment, settle
from app.domain.stays.models import Bill, Stay
from app.domain.stays.queries import bills_of
from app.kernel.db import transaction
from app.kernel.terms import ChangeOutOfOrder
from payments.charges.actions import open_charge
from payments.charges.actions.locks import lock_charge
from payments.charges.models import Charge
from payments.charges.queries import charge
from payments.payees.actions import open_payee, retire
from payments.payees.actions.payees import PayeeStillNamed
from payments.payees.models import Payee
from payments.payees.queries import NoSuchPayee
from payments.payees.rules import EnterpriseParticulars, FiscalParticulars
from tests.ground import Addresses
from tests.world import (
    EVER,
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
    payee,
    reservation_ready_to_cancel,
    staff,
    tariff,
)

Run = Callable[..., int]
HOUR = timedelta(hours=1)
ACTOR = "test"
COMPANY = EnterpriseParticulars("91330100MA00000000", "示例银行", "571900000000001")


@pytest.fixture
def run(servers: Addresses) -> Run:
    """Runs one statement as the program's role in a transaction of its own; returns how many rows it touched."""
    url = servers.app.replace("+psycopg", "", 1)

    def run_it(statement: str, *values: object) -> int:
        with psycopg.connect(url) as connection, connection.transaction():
            return connection.execute(statement.encode(), values).rowcount

    return run_it


def constraint(refusal: pytest.ExceptionInfo[psycopg.Error]) -> str | None:
    return refusal.value.diag.constraint_name


def pay_to(lot: Lot, payee_id: int, since: datetime) -> None:
    """Let a lot's money belong to a payee from then on, as two people of finance do."""
    proposal = lots.propose_payee(staff("finance_maker"), lot.key, payee_id, since)
    lots.pay_to(staff("finance_checker"), proposal.key)


def treasury(level: str, district_code: str | None) -> Payee:
    particulars = FiscalParticulars(level, district_code, "001001", "示例事务中心", "示例项目", "示例财政专户")
    return open_payee("示例财政专户", particulars, EVER, actor=ACTOR)


A_PAYEE: LiteralString = """
WITH told AS (SELECT lot.id, lot.unit_id, %s AS kind, %s AS level, %s AS district, %s::bigint AS payee
              FROM lot WHERE lot.id = %s),
proposed AS (
    INSERT INTO lot_payee_proposal (key, lot_id, payee_id, valid_from, proposed_by, proposed_at)
    SELECT gen_random_uuid(), id, payee, '2020-01-01', 'finance:1', now() FROM told RETURNING *
)
INSERT INTO lot_payee (lot_id, unit_id, unit_kind, unit_level, district_code, payee_id, valid, proposal_id, proposed_by,
                       confirmed_by)
SELECT told.id, unit_id, kind, level, district, payee, tstzrange('2020-01-01', '2020-02-01'), proposed.id, 'finance:1',
       'finance:2'
FROM told, proposed
"""


@pytest.mark.parametrize("kind", ["organ", "institution"])
def test_what_an_organ_or_institution_collects_cannot_be_an_enterprises(evening: datetime, kind: str) -> None:
    lot = open_lot(kind=kind)
    with pytest.raises(PayeeNotOfThisUnit):
        pay_to(lot, payee("enterprise").id, evening + HOUR)


def test_what_an_enterprise_collects_cannot_be_the_treasurys(evening: datetime) -> None:
    lot = open_lot(kind="enterprise")
    with pytest.raises(PayeeNotOfThisUnit):
        pay_to(lot, payee("fiscal").id, evening + HOUR)


@pytest.mark.parametrize(("level", "district_code"), [("city", None), ("district", "330108")])
def test_a_districts_organ_pays_its_own_district_and_no_other_treasury(
    evening: datetime, level: str, district_code: str | None
) -> None:
    lot = open_lot(kind="organ")
    with pytest.raises(PayeeNotOfThisUnit):
        pay_to(lot, treasury(level, district_code).id, evening + HOUR)


def test_nobody_unknown_is_named_as_payee(evening: datetime) -> None:
    with pytest.raises(NoSuchPayee):
        pay_to(open_lot(), 2**40, evening + HOUR)


@pytest.mark.parametrize(
    ("told", "to"),
    [
        (("organ", "district", "330106"), "enterprise"),
        (("organ", "district", "330106"), "city"),
        (("organ", "district", "330106"), "district"),
    ],
    ids=["an enterprise", "the city", "another district"],
)
def test_a_wrong_recipient_cannot_be_stored(evening: datetime, run: Run, told: tuple[str, str, str], to: str) -> None:
    lot = open_lot(kind="organ")
    wrong = payee("enterprise") if to == "enterprise" else treasury(to, None if to == "city" else "330108")
    with pytest.raises(ForeignKeyViolation) as refusal:
        run(A_PAYEE, *told, wrong.id, lot.id)
    assert constraint(refusal) == "a_lot_pays_the_purse_of_its_unit"


def test_a_lot_names_a_payee_for_no_longer_than_it_is_there(evening: datetime, run: Run) -> None:
    lot, young = open_lot(), open_payee("示例公司", COMPANY, evening + HOUR, actor=ACTOR)
    with pytest.raises(PayeeNotThere):
        pay_to(lot, young.id, evening)
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        run(A_PAYEE, "enterprise", "district", "330106", young.id, lot.id)
    assert constraint(refusal) == "a_lot_names_a_payee_that_is_there"


def test_a_payee_that_a_lot_names_does_not_end_before_the_lot_names_another(evening: datetime, run: Run) -> None:
    lot, end = open_lot(), evening + HOUR
    former = payee_at(lot.id, evening)
    with pytest.raises(PayeeStillNamed):
        retire(former, end, ACTOR)
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        run("UPDATE payee SET valid = tstzrange(lower(valid), %s) WHERE id = %s", end, former)
    assert constraint(refusal) == "a_payee_that_a_lot_names_does_not_end"
    pay_to(lot, open_payee("示例公司", COMPANY, evening, actor=ACTOR).id, end)
    assert retire(former, end, ACTOR).valid.upper == end


@pytest.mark.parametrize(
    "told",
    [("enterprise", "district", "330106"), ("organ", "city", "330106"), ("organ", "district", "330108")],
    ids=["kind", "level", "district"],
)
def test_a_unit_cannot_be_said_to_be_another_to_reach_a_wrong_recipient(
    evening: datetime, run: Run, told: tuple[str, str, str]
) -> None:
    lot = open_lot(kind="organ")
    fitting = {
        "enterprise": payee("enterprise"),
        "city": treasury("city", None),
        "330108": treasury("district", "330108"),
    }
    wrong = next(each for word, each in fitting.items() if word in told)
    with pytest.raises(ForeignKeyViolation) as refusal:
        run(A_PAYEE, *told, wrong.id, lot.id)
    assert constraint(refusal) == "a_lots_payee_knows_the_unit"


def test_a_unit_cannot_change_its_kind_under_its_payee(evening: datetime, run: Run) -> None:
    lot = open_lot(kind="organ")
    with pytest.raises(ForeignKeyViolation) as refusal:
        run("UPDATE unit SET kind = 'enterprise' WHERE id = %s", lot.unit_id)
    assert constraint(refusal) == "a_lots_payee_knows_the_unit"


def test_who_proposes_whose_a_lots_money_is_does_not_let_it_come_true(evening: datetime) -> None:
    lot, maker, after = open_lot(), staff("finance_maker"), payee().id
    both = replace(maker, grants=(*maker.grants, *staff("finance_checker").grants))
    asked = lots.propose_payee(both, lot.key, after, evening + HOUR)
    with pytest.raises(lots.OwnPayeeProposal):
        lots.pay_to(both, asked.key)
    assert payee_at(lot.id, evening + HOUR) != after


@pytest.mark.parametrize(
    ("sound", "spoilt", "expected"),
    [
        ("proposed.id, 'finance:1'", "proposed.id, 'finance:2'", "a_lots_payee_is_confirmed_by_another_person"),
        ("proposed.id, 'finance:1'", "proposed.id, 'finance:3'", "a_lots_payee_is_the_one_that_was_proposed"),
        ("tstzrange('2020-01-01',", "tstzrange('2020-01-02',", "a_lots_payee_is_the_one_that_was_proposed"),
    ],
    ids=["one person", "nobody proposed it", "from another day on"],
)
def test_a_lots_payee_is_the_word_of_two_persons(
    evening: datetime, run: Run, sound: str, spoilt: str, expected: str
) -> None:
    lot = open_lot()
    statement: Any = A_PAYEE.replace(sound, spoilt)
    with pytest.raises((CheckViolation, ForeignKeyViolation)) as refusal:
        run(statement, "enterprise", "district", "330106", payee().id, lot.id)
    assert constraint(refusal) == expected
    assert run(A_PAYEE, "enterprise", "district", "330106", payee().id, lot.id) == 1


def test_a_lot_cannot_move_to_another_unit_under_its_payee(evening: datetime, run: Run) -> None:
    lot, other = open_lot(kind="organ"), open_lot(kind="enterprise")
    with pytest.raises(ForeignKeyViolation) as refusal:
        run("UPDATE lot SET unit_id = %s WHERE id = %s", other.unit_id, lot.id)
    assert constraint(refusal) == "a_lots_payee_is_for_the_lots_unit"


def test_the_payee_changes_from_a_moment_on_and_the_old_one_stays_readable(evening: datetime) -> None:
    lot = open_lot()
    before, after = payee_at(lot.id, evening), payee().id
    pay_to(lot, after, evening + HOUR)
    moments = (evening, evening + HOUR - timedelta(seconds=1), evening + HOUR)
    assert [payee_at(lot.id, at) for at in moments] == [before, before, after]


def test_the_tariff_changes_from_a_moment_on_and_the_old_one_stays_readable(evening: datetime) -> None:
    lot = open_lot(parameters=HOURLY)
    charge_by(lot, tariff(hourly(500)), evening + HOUR)
    assert [fee(lot, evening), fee(lot, evening + HOUR)] == [300, 500]


def fee(lot: Lot, at: datetime) -> int:
    """What the first hour costs for a car that enters then."""
    with transaction():
        return prices_of(lot.id, at, at + HOUR).fee(at, at + HOUR, "small", []).fee_fen


@pytest.mark.parametrize("hours", [1, 2])
def test_a_payee_for_then_or_later_must_not_be_overtaken(evening: datetime, hours: int) -> None:
    lot, planned = open_lot(), payee().id
    pay_to(lot, planned, evening + 2 * HOUR)
    with pytest.raises(ChangeOutOfOrder):
        pay_to(lot, payee().id, evening + hours * HOUR)
    assert payee_at(lot.id, evening + 3 * HOUR) == planned


def test_a_tariff_for_then_or_later_must_not_be_overtaken(evening: datetime) -> None:
    lot = open_lot()
    with pytest.raises(ChangeOutOfOrder):
        charge_by(lot, tariff(), evening - timedelta(days=2))


def rows_that_hold(evening: datetime) -> None:
    """A row in each table of rows that hold from a moment on; each ends in two hours."""
    lot, at = open_lot(), evening + 2 * HOUR
    lay_down("live_reservations", 1, evening, ACTOR)
    lay_down("live_reservations", 2, at, ACTOR)
    pay_to(lot, payee().id, at)
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
def bill(evening: datetime, at: Callable[[datetime], None]) -> Bill:
    """600 fen that somebody who parks in an enterprise's lot is asked for."""
    who, lot = driver(), open_lot()
    stay = parked_stay(who, gate(lot))
    at(evening + 1.5 * HOUR)
    open_payment(who.id, stay.key)
    return bills_of(stay.id)[0]


def charged(payee_id: int, fen: int) -> Charge:
    return open_charge(
        source_kind="test", source_key=uuid.uuid4(), payee_id=payee_id, amount_fen=fen, motorist_id=1,
        description="停车费", on_paid="stays.settle",
    )  # fmt: skip


A_BILL: LiteralString = """
INSERT INTO bill
    (key, stay_id, up_to, own_fen, fee_fen, amount_fen, explanation, payee_id, charge_key, made_at, paid_at)
SELECT gen_random_uuid(), stay_id, up_to + interval '1 hour', 900, 900, %s, '[]', %s, %s, now(), %s
FROM bill WHERE id = %s
"""


@pytest.mark.parametrize("state", ["paid", "fulfilled"])
def test_a_charge_is_not_paid_without_a_payment(bill: Bill, run: Run, state: str) -> None:
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        run("UPDATE charge SET state = %s WHERE key = %s", state, bill.charge_key)
    assert constraint(refusal) == "a_paid_charge_has_its_payment"


def test_a_bill_is_not_paid_before_its_charge_is(bill: Bill, run: Run) -> None:
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        run("UPDATE bill SET paid_at = now() WHERE id = %s", bill.id)
    assert constraint(refusal) == "a_bill_is_paid_with_its_charge"
    assert bill.charge_key is not None
    paid(bill.charge_key)
    assert run("UPDATE bill SET paid_at = now() WHERE id = %s", bill.id) == 1


def test_a_bill_is_not_born_paid(bill: Bill, run: Run) -> None:
    charge = charged(bill.payee_id, 300)
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        run(A_BILL, 300, bill.payee_id, charge.key, "2026-06-10", bill.id)
    assert constraint(refusal) == "a_bill_is_paid_with_its_charge"


def test_a_bill_asks_for_what_its_charge_asks_for(bill: Bill, run: Run) -> None:
    charge = charged(bill.payee_id, 300)
    with pytest.raises(ForeignKeyViolation) as refusal:
        run(A_BILL, 299, bill.payee_id, charge.key, None, bill.id)
    assert constraint(refusal) == "a_bill_asks_what_its_charge_asks"


def test_a_bill_and_its_charge_are_for_the_same_payee(bill: Bill, run: Run) -> None:
    charge = charged(payee().id, 300)
    with pytest.raises(ForeignKeyViolation) as refusal:
        run(A_BILL, 300, bill.payee_id, charge.key, None, bill.id)
    assert constraint(refusal) == "a_bill_asks_what_its_charge_asks"


def test_a_bill_is_for_the_payee_of_its_lot(bill: Bill, run: Run) -> None:
    other = payee().id
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        run(A_BILL, 300, other, charged(other, 300).key, None, bill.id)
    assert constraint(refusal) == "a_bill_is_for_the_lots_payee"


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
        ordered(lock_charge(charged(payee().id, 300).key))


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
