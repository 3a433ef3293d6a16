"""Rows are locked in one order everywhere: charge, then payment, then refund, then the books."""

import uuid

from sqlalchemy import select

from app.kernel.db import current
from payments.charges.models import Charge, Payment
from payments.refunds.models import Refund
from payments.refunds.queries import NoSuchPayment, NoSuchRefund


def lock_payment(key: uuid.UUID) -> tuple[Charge, Payment]:
    """A payment and, before it, its charge. Refuses `NoSuchPayment`."""
    ids = current().execute(select(Payment.charge_id, Payment.id).filter_by(key=key)).one_or_none()
    if ids is None:
        raise NoSuchPayment
    charge = current().scalars(select(Charge).filter_by(id=ids.charge_id).with_for_update()).one()
    return charge, _payment(ids.id)


def lock_refund(key: uuid.UUID) -> tuple[Payment, Refund]:
    """A refund and, before it, its payment. Refuses `NoSuchRefund`."""
    found = current().execute(select(Refund.payment_id, Refund.id).filter_by(key=key)).one_or_none()
    if found is None:
        raise NoSuchRefund
    return lock_refund_by_id(found.id)


def lock_refund_by_id(refund_id: int) -> tuple[Payment, Refund]:
    """The same by a known id."""
    payment = _payment(current().execute(select(Refund.payment_id).filter_by(id=refund_id)).scalar_one())
    return payment, current().scalars(select(Refund).filter_by(id=refund_id).with_for_update()).one()


def _payment(payment_id: int) -> Payment:
    return current().scalars(select(Payment).filter_by(id=payment_id).with_for_update()).one()
