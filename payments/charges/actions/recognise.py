"""Prepaid money becomes the payee's when the service is done."""

import uuid

from app.kernel import audit, clock
from app.kernel.db import current, transaction
from app.kernel.refusals import Conflict
from payments.charges.actions.locks import lock_charge
from payments.charges.models import Charge
from payments.charges.queries import charge_reference, settling_payment
from payments.charges.rules import CHARGE
from payments.ledger.actions import post
from payments.ledger.rules import recognised_lines
from payments.payees.models import Payee
from payments.shipping.actions.note import note_rendered


class NotPaid(Conflict):
    """Only a paid charge can be recognised."""

    code = "not_paid"
    message = "该笔费用尚未支付"


def recognise(charge_key: uuid.UUID) -> Charge:
    """The thing paid for is completed: due to the treasury (N3.4.1), or an enterprise's revenue (N3.4.2).

    What is promised back to the motorist is not earned; when that is all of it, nothing is posted.
    Call it in the transaction that completes the source; twice changes nothing. Refuses `NotPaid`.
    """
    with transaction():
        charge = lock_charge(charge_key)
        if charge.state == "fulfilled":
            return charge
        if charge.state != "paid":
            raise NotPaid
        _recognise(charge)
        return charge


def _recognise(charge: Charge) -> None:
    reference = charge_reference(charge)
    CHARGE.move(charge, "fulfil", reference)
    payee = current().get_one(Payee, charge.payee_id)
    payment = settling_payment(charge.id)
    earned = payment.paid_fen - payment.refund_reserved_fen
    if earned:
        post("recognition", reference, payee.id, clock.now(), recognised_lines(payee.regime, earned))
        note_rendered(payment.id)
    audit.record("charge.recognise", "charge", charge.id, reference)
