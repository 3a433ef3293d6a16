"""A bill and its charge say the same, and neither is paid before the money is there, whoever writes it by hand."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import LiteralString

import psycopg
import pytest
from psycopg.errors import ForeignKeyViolation, IntegrityConstraintViolation

from app.domain.stays.actions import open_payment
from app.domain.stays.models import Bill
from app.domain.stays.queries import bills_of
from payments.payees.queries import payee_by_id
from tests.ground import Run
from tests.payments.world import owed
from tests.world import (
    driver,
    gate,
    open_lot,
    paid,
    parked_stay,
    payee,
)

HOUR = timedelta(hours=1)


def constraint(refusal: pytest.ExceptionInfo[psycopg.Error]) -> str | None:
    return refusal.value.diag.constraint_name


@pytest.fixture
def bill(evening: datetime, at: Callable[[datetime], None]) -> Bill:
    """600 fen that somebody who parks in an enterprise's lot is asked for."""
    who, lot = driver(), open_lot()
    stay = parked_stay(who, gate(lot))
    at(evening + 1.5 * HOUR)
    open_payment(who.id, stay.key)
    return bills_of(stay.id)[0]


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
    charge = owed(payee_by_id(bill.payee_id), 300)
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        run(A_BILL, 300, bill.payee_id, charge.key, "2026-06-10", bill.id)
    assert constraint(refusal) == "a_bill_is_paid_with_its_charge"


def test_a_bill_asks_for_what_its_charge_asks_for(bill: Bill, run: Run) -> None:
    charge = owed(payee_by_id(bill.payee_id), 300)
    with pytest.raises(ForeignKeyViolation) as refusal:
        run(A_BILL, 299, bill.payee_id, charge.key, None, bill.id)
    assert constraint(refusal) == "a_bill_asks_what_its_charge_asks"


def test_a_bill_and_its_charge_are_for_the_same_payee(bill: Bill, run: Run) -> None:
    charge = owed(payee(), 300)
    with pytest.raises(ForeignKeyViolation) as refusal:
        run(A_BILL, 300, bill.payee_id, charge.key, None, bill.id)
    assert constraint(refusal) == "a_bill_asks_what_its_charge_asks"


def test_a_bill_is_for_the_payee_of_its_lot(bill: Bill, run: Run) -> None:
    other = payee().id
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        run(A_BILL, 300, other, owed(payee_by_id(other), 300).key, None, bill.id)
    assert constraint(refusal) == "a_bill_is_for_the_lots_payee"
