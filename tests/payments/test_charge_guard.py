"""What hand-written SQL cannot do to charges, orders and payments."""

import secrets
import uuid
from datetime import timedelta
from typing import LiteralString

import psycopg
import pytest
from flask import Flask
from psycopg.errors import (
    CheckViolation,
    ForeignKeyViolation,
    InsufficientPrivilege,
    IntegrityConstraintViolation,
    UniqueViolation,
)

from app.kernel import clock
from payments.charges.models import Charge
from payments.payees.actions import open_payee
from payments.payees.models import MerchantChannel, Payee
from payments.payees.queries import channel_of
from payments.payees.rules import EnterpriseParticulars
from tests.payments.world import A_CHARGE, enterprise_payee, owed, paid_through, treasury_payee
from tests.world import EVER

AN_ORDER: LiteralString = (
    "WITH born AS ("
    "INSERT INTO payment_order (key, channel_id, payee_id, amount_fen, out_trade_no, sp_appid, payer, body, "
    "state, created_at, expires_at, checks) "
    "VALUES (gen_random_uuid(), %s, %s, %s, %s, 'wx', 'x', 'x', 'preparing', now(), now(), 0) "
    "RETURNING id, payee_id, amount_fen), "
    "line AS (INSERT INTO order_line (order_id, charge_id, payee_id, amount_fen, order_state) "
    "SELECT id, %s, payee_id, amount_fen, 'preparing' FROM born) "
    "INSERT INTO state_event (machine, entity_id, from_state, to_state, event, cause, at) "
    "SELECT 'payment_order', id, '', 'preparing', 'born', 'test', now() FROM born RETURNING entity_id"
)
A_PAYMENT: LiteralString = (
    "INSERT INTO payment (key, order_id, charge_id, channel_id, payee_id, transaction_id, paid_fen, "
    "refund_reserved_fen, surplus, paid_at, learned_at) "
    "SELECT gen_random_uuid(), order_id, charge_id, %s, %s, %s, %s, 0, false, now(), now() "
    "FROM order_line WHERE order_id = %s"
)
A_LINE: LiteralString = (
    "INSERT INTO order_line (order_id, charge_id, payee_id, amount_fen, order_state) "
    "SELECT %s, id, payee_id, amount_fen, 'preparing' FROM charge WHERE id = %s"
)
IS_PAID: LiteralString = (
    "WITH paid AS (UPDATE payment_order SET state = 'paid', transaction_id = %s WHERE id = %s RETURNING id) "
    "INSERT INTO state_event (machine, entity_id, from_state, to_state, event, cause, at) "
    "SELECT 'payment_order', id, 'preparing', 'paid', 'pay', 'test', now() FROM paid"
)


@pytest.fixture
def payee(app: Flask) -> Payee:
    return treasury_payee()


@pytest.fixture
def charge(payee: Payee) -> Charge:
    return owed(payee, 1250)


def run(url: str, statement: LiteralString, *values: object) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(statement, values)
        told = int((row.fetchone() or (0,))[0]) if row.description else 0
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        return told


def pay(url: str, order_id: int, channel: MerchantChannel, fen: int, number: str = "") -> str:
    """The order is paid through this channel; returns WeChat's number of it."""
    number = number or secrets.token_hex(14)
    with psycopg.connect(url) as connection:
        connection.execute(IS_PAID, (number, order_id))
        connection.execute(A_PAYMENT, (channel.id, channel.payee_id, number, fen, order_id))
    return number


def ordered(
    url: str, charge: Charge, *, payee: Payee | None = None, channel: Payee | None = None, fen: int = 1250
) -> int:
    channel_id = channel_of((channel or payee).id if (channel or payee) else charge.payee_id).id  # type: ignore[union-attr]
    payee_id = payee.id if payee else charge.payee_id
    return run(url, AN_ORDER, channel_id, payee_id, fen, uuid.uuid4().hex, charge.id)


def test_nothing_is_owed_to_a_payee_that_finance_has_not_confirmed(app: Flask, program: str) -> None:
    particulars = EnterpriseParticulars("91330100MA00000000", "某银行", "571900000000001")
    payee = open_payee("某公司", particulars, EVER, actor="finance:6")
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        run(program, A_CHARGE, payee.id, clock.now())
    assert refusal.value.diag.constraint_name == "a_charge_is_for_a_confirmed_payee"


def test_nothing_is_owed_to_a_payee_before_it_is_there(payee: Payee, program: str) -> None:
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        run(program, A_CHARGE, payee.id, EVER - timedelta(days=1))
    assert refusal.value.diag.constraint_name == "a_charge_is_for_a_confirmed_payee"


def test_no_order_goes_through_a_channel_that_takes_none(charge: Charge, payee: Payee, program: str) -> None:
    former = channel_of(payee.id)
    paid_through(payee)
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        run(program, AN_ORDER, former.id, payee.id, 1250, uuid.uuid4().hex, charge.id)
    assert refusal.value.diag.constraint_name == "an_order_goes_through_a_channel_that_takes_it"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE charge SET payee_id = (SELECT max(id) FROM payee) WHERE id = %s",
        "UPDATE charge SET amount_fen = 1 WHERE id = %s",
        "UPDATE charge SET on_paid = 'other' WHERE id = %s",
        "UPDATE charge SET source_key = gen_random_uuid() WHERE id = %s",
    ],
    ids=["payee", "amount", "job", "source"],
)
def test_the_terms_of_a_charge_never_change(charge: Charge, owner: str, program: str, statement: LiteralString) -> None:
    enterprise_payee()
    with pytest.raises(IntegrityConstraintViolation, match="terms of a charge are fixed"):
        run(owner, statement, charge.id)
    with pytest.raises(InsufficientPrivilege):
        run(program, statement, charge.id)


def test_a_charge_is_never_removed(charge: Charge, owner: str) -> None:
    with pytest.raises(IntegrityConstraintViolation, match="terms of a charge are fixed"):
        run(owner, "DELETE FROM charge WHERE id = %s", charge.id)


def test_a_charge_moves_only_along_its_graph(charge: Charge, program: str) -> None:
    with pytest.raises(CheckViolation):
        run(program, "UPDATE charge SET state = 'refund_full' WHERE id = %s", charge.id)


def test_a_charge_has_one_open_order_at_most(charge: Charge, program: str) -> None:
    ordered(program, charge)
    with pytest.raises(UniqueViolation) as refusal:
        ordered(program, charge)
    assert refusal.value.diag.constraint_name == "a_charge_has_one_open_order"


def test_an_order_cannot_lead_to_another_payees_channel(charge: Charge, program: str) -> None:
    with pytest.raises(ForeignKeyViolation) as refusal:
        ordered(program, charge, channel=enterprise_payee())
    assert refusal.value.diag.constraint_name == "an_order_goes_to_its_payees_channel"


def test_an_order_cannot_be_for_another_payee_or_sum_than_its_charge(charge: Charge, program: str) -> None:
    with pytest.raises(ForeignKeyViolation) as other_payee:
        ordered(program, charge, payee=enterprise_payee())
    with pytest.raises(ForeignKeyViolation) as other_sum:
        ordered(program, charge, fen=1249)
    assert other_payee.value.diag.constraint_name == "an_order_asks_for_its_charge"
    assert other_sum.value.diag.constraint_name == "an_order_asks_for_its_charge"


def test_a_payment_is_of_its_orders_channel_and_sum(charge: Charge, payee: Payee, program: str) -> None:
    order_id = ordered(program, charge)
    with pytest.raises(ForeignKeyViolation):
        pay(program, order_id, channel_of(enterprise_payee().id), 1250)
    with pytest.raises(ForeignKeyViolation):
        pay(program, order_id, channel_of(payee.id), 1249)


def test_no_more_is_refunded_than_was_paid(charge: Charge, payee: Payee, program: str) -> None:
    number = pay(program, ordered(program, charge), channel_of(payee.id), 1250)
    with pytest.raises(CheckViolation) as refusal:
        run(program, "UPDATE payment SET refund_reserved_fen = 1251 WHERE transaction_id = %s", number)
    assert refusal.value.diag.constraint_name == "no_more_is_refunded_than_was_paid"


def test_a_payment_is_recorded_once_and_not_changed(charge: Charge, payee: Payee, program: str, owner: str) -> None:
    order_id, channel = ordered(program, charge), channel_of(payee.id)
    number = pay(program, order_id, channel, 1250)
    with pytest.raises(UniqueViolation):
        run(program, A_PAYMENT, channel.id, payee.id, number, 1250, order_id)
    with pytest.raises(IntegrityConstraintViolation, match="terms of a payment are fixed"):
        run(owner, "UPDATE payment SET paid_fen = 1 WHERE order_id = %s", order_id)


def test_one_wechat_payment_pays_one_order(charge: Charge, payee: Payee, program: str) -> None:
    number = pay(program, ordered(program, charge), channel_of(payee.id), 1250)
    another = ordered(program, owed(payee, 1250))
    with pytest.raises(UniqueViolation) as refusal:
        pay(program, another, channel_of(payee.id), 1250, number)
    assert refusal.value.diag.constraint_name == "a_wechat_payment_pays_one_order"


def test_an_order_is_never_paid_without_a_payment_for_each_line(charge: Charge, program: str) -> None:
    order_id = ordered(program, charge)
    with pytest.raises(IntegrityConstraintViolation, match="its payments are"):
        run(program, IS_PAID, secrets.token_hex(14), order_id)


def test_an_order_asks_for_what_its_lines_sum_to_from_the_first_moment_on(
    charge: Charge, payee: Payee, program: str
) -> None:
    order_id = ordered(program, charge)
    with pytest.raises(IntegrityConstraintViolation, match="its lines for 2500"):
        run(program, A_LINE, order_id, owed(payee, 1250).id)


@pytest.mark.parametrize("statement", ["UPDATE order_line SET amount_fen = 1", "DELETE FROM order_line"])
def test_a_line_says_the_same_for_ever(charge: Charge, program: str, owner: str, statement: LiteralString) -> None:
    ordered(program, charge)
    with pytest.raises(IntegrityConstraintViolation, match="terms of an order_line are fixed"):
        run(owner, statement)


def test_a_receipt_is_of_the_kind_that_its_payees_regime_gives(charge: Charge, program: str) -> None:
    receipt: LiteralString = (
        "INSERT INTO receipt_request (key, charge_id, payee_id, regime, kind, motorist_id, amount_fen, "
        "requested_at) VALUES (gen_random_uuid(), %s, %s, %s, 'tax_invoice', 1, 1, now())"
    )
    with pytest.raises(CheckViolation):
        run(program, receipt, charge.id, charge.payee_id, "TREASURY")
    with pytest.raises(ForeignKeyViolation):
        run(program, receipt, charge.id, charge.payee_id, "SOE")
