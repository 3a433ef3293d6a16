"""What hand-written SQL cannot do to the city's rows as the program's role: each table keeps its own promises."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import LiteralString

import psycopg
import pytest
from psycopg.errors import ForeignKeyViolation, InsufficientPrivilege, IntegrityConstraintViolation

from app.domain.lots.actions import PayeeNotOfThisUnit, pay_to
from app.domain.lots.models import Lot
from app.domain.lots.queries import payee_at
from app.domain.policies.actions import set_number
from app.domain.pricing.actions import Approved, charge_by, register_reference
from app.domain.pricing.queries import prices_of
from app.domain.stays.actions import open_payment
from app.domain.stays.models import Bill
from app.domain.stays.queries import bills_of
from app.kernel.db import transaction
from app.kernel.terms import ChangeOutOfOrder
from payments.charges.actions import open_charge
from payments.charges.models import Charge
from payments.payees.actions import open_payee
from payments.payees.models import Payee
from payments.payees.queries import NoSuchPayee
from payments.payees.rules import FiscalParticulars
from tests.ground import Addresses
from tests.world import HOURLY, driver, gate, open_lot, paid, parked_stay, payee, tariff

Run = Callable[..., int]
HOUR = timedelta(hours=1)
ACTOR = "test"


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


def treasury(level: str, district_code: str | None) -> Payee:
    particulars = FiscalParticulars(level, district_code, "001001", "示例事务中心", "示例项目", "示例财政专户")
    return open_payee("示例财政专户", particulars, actor=ACTOR)


A_PAYEE: LiteralString = """
INSERT INTO lot_payee (lot_id, unit_id, unit_kind, unit_level, district_code, payee_id, valid)
SELECT lot.id, unit.id, %s, %s, %s, %s, tstzrange('2020-01-01', '2020-02-01')
FROM lot JOIN unit ON unit.id = lot.unit_id WHERE lot.id = %s
"""


@pytest.mark.parametrize("kind", ["organ", "institution"])
def test_what_an_organ_or_institution_collects_cannot_be_an_enterprises(evening: datetime, kind: str) -> None:
    lot = open_lot(kind=kind)
    with pytest.raises(PayeeNotOfThisUnit):
        pay_to(lot.id, payee("enterprise").id, evening + HOUR, ACTOR)


def test_what_an_enterprise_collects_cannot_be_the_treasurys(evening: datetime) -> None:
    lot = open_lot(kind="enterprise")
    with pytest.raises(PayeeNotOfThisUnit):
        pay_to(lot.id, payee("fiscal").id, evening + HOUR, ACTOR)


@pytest.mark.parametrize(("level", "district_code"), [("city", None), ("district", "330108")])
def test_a_districts_organ_pays_its_own_district_and_no_other_treasury(
    evening: datetime, level: str, district_code: str | None
) -> None:
    lot = open_lot(kind="organ")
    with pytest.raises(PayeeNotOfThisUnit):
        pay_to(lot.id, treasury(level, district_code).id, evening + HOUR, ACTOR)


def test_nobody_unknown_is_named_as_payee(evening: datetime) -> None:
    with pytest.raises(NoSuchPayee):
        pay_to(open_lot().id, 2**40, evening + HOUR, ACTOR)


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


def test_a_lot_cannot_move_to_another_unit_under_its_payee(evening: datetime, run: Run) -> None:
    lot, other = open_lot(kind="organ"), open_lot(kind="enterprise")
    with pytest.raises(ForeignKeyViolation) as refusal:
        run("UPDATE lot SET unit_id = %s WHERE id = %s", other.unit_id, lot.id)
    assert constraint(refusal) == "a_lots_payee_is_for_the_lots_unit"


def test_the_payee_changes_from_a_moment_on_and_the_old_one_stays_readable(evening: datetime) -> None:
    lot = open_lot()
    before, after = payee_at(lot.id, evening), payee().id
    pay_to(lot.id, after, evening + HOUR, ACTOR)
    moments = (evening, evening + HOUR - timedelta(seconds=1), evening + HOUR)
    assert [payee_at(lot.id, at) for at in moments] == [before, before, after]


def test_the_tariff_changes_from_a_moment_on_and_the_old_one_stays_readable(evening: datetime) -> None:
    lot = open_lot(parameters=HOURLY)
    dearer = {**HOURLY, "bands": [{**HOURLY["bands"][0], "steps": [{"minutes": None, "unit_min": 60, "fen": 500}]}]}
    charge_by(lot.id, tariff(dearer), evening + HOUR, ACTOR)
    assert [fee(lot, evening), fee(lot, evening + HOUR)] == [300, 500]


def fee(lot: Lot, at: datetime) -> int:
    """What the first hour costs for a car that enters then."""
    with transaction():
        return prices_of(lot.id, at, at + HOUR).fee(at, at + HOUR, "small", []).fee_fen


@pytest.mark.parametrize("hours", [1, 2])
def test_a_payee_for_then_or_later_must_not_be_overtaken(evening: datetime, hours: int) -> None:
    lot, planned = open_lot(), payee().id
    pay_to(lot.id, planned, evening + 2 * HOUR, ACTOR)
    with pytest.raises(ChangeOutOfOrder):
        pay_to(lot.id, payee().id, evening + hours * HOUR, ACTOR)
    assert payee_at(lot.id, evening + 3 * HOUR) == planned


def test_a_tariff_for_then_or_later_must_not_be_overtaken(evening: datetime) -> None:
    lot = open_lot()
    with pytest.raises(ChangeOutOfOrder):
        charge_by(lot.id, tariff(), evening - timedelta(days=2), ACTOR)


def rows_that_hold(evening: datetime) -> None:
    """A row in each table of rows that hold from a moment on; each ends in two hours."""
    lot, at = open_lot(), evening + 2 * HOUR
    set_number("live_reservations", 1, evening, ACTOR)
    set_number("live_reservations", 2, at, ACTOR)
    register_reference(Approved("示例", "示例", 30.25, 120.15, tariff()), evening, ACTOR)
    pay_to(lot.id, payee().id, at, ACTOR)
    charge_by(lot.id, tariff(), at, ACTOR)


@pytest.mark.parametrize("table", ["lot_payee", "lot_tariff", "policy_number", "reference_lot"])
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
        "UPDATE reference_lot SET tariff_id = tariff_id",
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
