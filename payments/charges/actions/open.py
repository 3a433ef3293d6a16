"""A charge is opened for one thing, once."""

import uuid

from sqlalchemy.dialects.postgresql import insert

from app.kernel import audit, clock
from app.kernel.db import current, transaction
from app.kernel.ids import new_key
from app.kernel.money import Fen
from app.kernel.queue import enqueue
from app.kernel.refusals import Conflict
from payments.charges.actions.locks import lock_charge
from payments.charges.models import Charge
from payments.charges.queries import charge_of_source
from payments.charges.rules import CHARGE, STRAY, for_wechats_bill
from payments.payees.queries import collecting_payee


class ChargedDifferently(Conflict):
    """The same thing was charged before with other terms."""

    code = "charged_differently"
    message = "该笔费用已按其他金额或收费主体生成"


def open_charge(
    *,
    source_kind: str,
    source_key: uuid.UUID,
    payee_id: int,
    amount_fen: Fen,
    motorist_id: int | None,
    description: str,
    on_paid: str,
) -> Charge:
    """Write down what a motorist owes a payee; the same source again gives the same charge.

    `description` is what WeChat shows (1 to 127 characters). When the charge is paid the
    job `on_paid` is enqueued with `source_key`; 0 fen is settled at once, without an order or a posting.
    Refuses `NoSuchPayee`, `PayeeNotConfirmed`, `VatNotConfirmed`, `ChargedDifferently`.
    """
    with transaction():
        payee = collecting_payee(payee_id, earns=source_kind != STRAY)
        key = _insert(
            source_kind=source_kind, source_key=source_key, payee_id=payee.id, amount_fen=amount_fen,
            motorist_id=motorist_id, description=for_wechats_bill(description), on_paid=on_paid,
        )  # fmt: skip
        if key is None:
            return _opened_before(source_kind, source_key, (payee_id, amount_fen, motorist_id))
        charge = lock_charge(key)
        _born(charge)
        return charge


def _insert(**terms: object) -> uuid.UUID | None:
    row = insert(Charge).values(key=new_key(), state="created", created_at=clock.now(), **terms)
    once = row.on_conflict_do_nothing(constraint="a_source_is_charged_once")
    return current().scalar(once.returning(Charge.key))


def _opened_before(source_kind: str, source_key: uuid.UUID, terms: tuple[int, Fen, int | None]) -> Charge:
    charge = charge_of_source(source_kind, source_key)
    assert charge is not None
    if (charge.payee_id, charge.amount_fen, charge.motorist_id) != terms:
        raise ChargedDifferently
    return charge


def _born(charge: Charge) -> None:
    cause = f"{charge.source_kind}:{charge.source_key}"
    CHARGE.born(charge, cause)
    audit.record("charge.open", "charge", charge.id, cause, {"amount_fen": charge.amount_fen})
    if charge.amount_fen == 0:
        CHARGE.move(charge, "waive", cause)
        enqueue(charge.on_paid, source_key=charge.source_key)
