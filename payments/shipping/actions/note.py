"""A service was rendered: WeChat is told, where it wants to know."""

from app.kernel import clock
from app.kernel.db import current
from payments.shipping.models import Shipment, TradeManagement
from payments.shipping.rules import SHIPMENT


def note_rendered(payment_id: int) -> None:
    """Leave a report in the running transaction, unless WeChat wants none."""
    word = current().get(TradeManagement, 1)
    if word is None or not word.managed:
        return
    now = clock.now()
    shipment = Shipment(payment_id=payment_id, state="due", rendered_at=now, next_check_at=now)
    current().add(shipment)
    SHIPMENT.born(shipment, f"payment:{payment_id}")
