"""A service was rendered: WeChat is told, where it wants to know."""

from datetime import datetime

from sqlalchemy import select

from app.kernel import clock
from app.kernel.db import current
from payments.charges.models import Order, Payment
from payments.shipping.actions.word import is_wanted
from payments.shipping.models import Shipment
from payments.shipping.rules import SHIPMENT


def note_rendered(payment_id: int) -> None:
    """Leave a report in the running transaction, unless WeChat has one of what was paid together.

    While it wants none nothing is written: what it came to want later is found again (`find_rendered`).
    """
    if is_wanted():
        note(payment_id, clock.now())


def note(payment_id: int, rendered_at: datetime) -> None:
    """The report of what was rendered then, due at once."""
    if _is_reported_together(payment_id):
        return
    shipment = Shipment(
        payment_id=payment_id, state="due", rendered_at=rendered_at, next_check_at=clock.now()
    )  # fmt: skip
    current().add(shipment)
    SHIPMENT.born(shipment, f"payment:{payment_id}")


def _is_reported_together(payment_id: int) -> bool:
    """WeChat is told once of each of its payments, however many charges it settled; they queue at the order."""
    order_id = current().scalars(select(Payment.order_id).filter_by(id=payment_id)).one()
    current().execute(select(Order.id).filter_by(id=order_id).with_for_update())
    known = select(Shipment.id).join(Payment, Payment.id == Shipment.payment_id).where(Payment.order_id == order_id)
    return current().scalar(select(known.exists())) or False
