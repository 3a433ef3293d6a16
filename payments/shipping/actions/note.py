"""A service was rendered: WeChat is told, where it wants to know."""

from sqlalchemy import select

from app.kernel import clock
from app.kernel.db import current
from payments.charges.models import Order, Payment
from payments.shipping.models import Shipment, TradeManagement
from payments.shipping.rules import SHIPMENT


def note_rendered(payment_id: int) -> None:
    """Leave a report in the running transaction, unless WeChat wants none or has one of what was paid together."""
    word = current().get(TradeManagement, 1)
    if word is None or not word.managed:
        return
    if _is_reported_together(payment_id):
        return
    now = clock.now()
    shipment = Shipment(payment_id=payment_id, state="due", rendered_at=now, next_check_at=now)
    current().add(shipment)
    SHIPMENT.born(shipment, f"payment:{payment_id}")


def _is_reported_together(payment_id: int) -> bool:
    """WeChat is told once of each of its payments, however many charges it settled; they queue at the order."""
    order_id = current().scalars(select(Payment.order_id).filter_by(id=payment_id)).one()
    current().execute(select(Order.id).filter_by(id=order_id).with_for_update())
    known = select(Shipment.id).join(Payment, Payment.id == Shipment.payment_id).where(Payment.order_id == order_id)
    return current().scalar(select(known.exists())) or False
