"""Charges that were paid, earned and returned, without WeChat."""

import uuid
from typing import Any

import psycopg
import pytest
from sqlalchemy import select

from app.kernel.db import transaction
from payments.charges.actions import open_charge, recognise
from payments.charges.actions.locks import lock_charge
from payments.charges.actions.settle import settle
from payments.charges.models import Charge, Payment
from payments.charges.queries import payments_of
from payments.ledger.actions import post
from payments.ledger.models import Journal
from payments.ledger.rules import TREASURY
from payments.parity.actions import NothingToCorrect, correct
from payments.payees.models import Payee
from payments.refunds.actions import approve, ask, reject
from payments.refunds.actions.moves import let_go, move
from payments.refunds.models import Refund
from payments.refunds.queries import refund_reference
from payments.refunds.rules import CHANNEL, abnormal_lines, recovered_lines, succeeded_lines
from tests.world import ordered, paid, vouched

MOVED = "tests.moved"


def owed(payee: Payee, fen: int = 1250) -> Charge:
    return open_charge(
        source_kind="test", source_key=uuid.uuid4(), payee_id=payee.id, amount_fen=fen, motorist_id=1,
        description="停车费 测试车场", on_paid="tests.paid",
    )  # fmt: skip


def paid_charge(payee: Payee, fen: int = 1250) -> Payment:
    charge = owed(payee, fen)
    paid(charge.key)
    return payments_of(charge.id)[0]


def paid_twice(payee: Payee) -> None:
    """A charge that is paid, and then once more."""
    charge = owed(payee)
    paid(charge.key)
    with transaction():
        assert settle(vouched(ordered(lock_charge(charge.key))), "test") == "paid_twice"


def earned(payment: Payment) -> None:
    """The thing paid for is done."""
    with transaction() as session:
        key = session.get_one(Charge, payment.charge_id).key
    recognise(key)


def promised(payment: Payment, fen: int, alone_up_to_fen: int = 10**6) -> Refund:
    """A refund that a person asked for; of no more than that another has approved it where it takes two."""
    made = ask(payment.key, fen, reason="overpaid", basis="出口道闸离线", asked_by="staff:1",
               alone_up_to_fen=alone_up_to_fen, on_moved=MOVED)  # fmt: skip
    if made.regime == TREASURY and made.way == CHANNEL and fen <= alone_up_to_fen:
        return approve(made.key, by="staff:2", because="核对无误")
    return made


def rejected(refund: Refund) -> None:
    reject(refund.key, by="staff:2", because="计费无误")


def went(refund: Refund, *events: str) -> None:
    """WeChat's word, step by step: `succeed`, `fail` or `close`, posted as the platform posts it."""
    for event in ("send", *events):
        with transaction() as session:
            found = session.scalars(select(Refund).filter_by(id=refund.id).with_for_update()).one()
            payment = session.get_one(Payment, found.payment_id)
            held = found.state == "abnormal"
            if event == "close":
                let_go(payment, found, "close", "test")
                continue
            move(found, event, "test", **({"body": b"{}"} if event == "send" else {}))
            _posted(found, event, held=held)


def _posted(refund: Refund, event: str, *, held: bool) -> None:
    kinds = {"fail": ("refund_abnormal", abnormal_lines), "succeed": ("refund_success", succeeded_lines)}
    kind, lines = ("refund_recovered", recovered_lines) if held else kinds.get(event, ("", abnormal_lines))
    if kind:
        post(kind, refund_reference(refund), refund.payee_id, refund.moved_at, lines(refund.amount_fen))


def spoilt(admin: psycopg.Connection[Any], kind: str) -> str:
    """The first journal of a kind says twice as much as it must; returns its reference."""
    wrong, reference = admin.execute(
        "SELECT id, business_ref FROM journal WHERE kind = %s ORDER BY id LIMIT 1", [kind]
    ).fetchall()[0]
    with admin.transaction():
        admin.execute("SET LOCAL session_replication_role = replica")
        admin.execute("UPDATE posting SET amount_fen = amount_fen * 2 WHERE journal_id = %s", [wrong])
    return str(reference)


def kinds_found_right() -> set[str]:
    """The kinds of all journals that stand: whoever wants one of them corrected is told that it is what happened."""
    reversed_ids = select(Journal.reverses_id).where(Journal.reverses_id.is_not(None))
    with transaction() as session:
        standing = session.execute(select(Journal.kind, Journal.business_ref).where(Journal.id.not_in(reversed_ids)))
        told = standing.all()
    for kind, reference in told:
        with pytest.raises(NothingToCorrect):
            correct(kind, reference, "staff:1", "看错了")
    return {kind for kind, _ in told}
