"""What WeChat said of its rule, and what it was told."""

from sqlalchemy import select

from app.kernel.db import transaction
from payments.shipping.models import Shipment, TradeManagement


def word_on_trade() -> TradeManagement | None:
    """WeChat's last word on whether it must be told; none when it was never asked."""
    with transaction() as session:
        return session.scalars(select(TradeManagement).execution_options(populate_existing=True)).one_or_none()


def shipment_of(payment_id: int) -> Shipment | None:
    """The report of a payment, if WeChat wanted one."""
    with transaction() as session:
        wanted = select(Shipment).filter_by(payment_id=payment_id)
        return session.scalars(wanted.execution_options(populate_existing=True)).one_or_none()
