"""Who paid is forgotten when nobody needs to know it any more: reporting to WeChat is the last that does."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Select, exists, func, literal_column, select, tuple_, update

from app.kernel import audit, clock
from app.kernel.db import current, transaction
from payments.charges.models import CallbackInbox, Charge, CombinedOrder, Order, Payment
from payments.charges.rules import OPEN_ORDER
from payments.shipping.models import Shipment

PLATFORM: Final = "platform"


def forget_payers(before: datetime, limit: int = 1000) -> int:
    """Empty what tells the payer of up to `limit` orders and notices that are older than `before`.

    Of orders that may still be paid, and of payments whose service is still to be rendered or reported, it stays.
    Sums, numbers, states and moments stay for good. Returns how many rows forgot something; several may run at once.
    """
    with transaction():
        orders = _forget_orders(before, limit)
        forgotten = orders + _forget_wholes(before, limit) + _forget_notices(before, limit)
        if forgotten:
            told = {"rows": forgotten, "before": before.isoformat()}
            audit.record("payers.forget", "payment_order", 0, PLATFORM, told)
        return forgotten


def _forget_orders(before: datetime, limit: int) -> int:
    of_payment = Payment.order_id == Order.id
    to_render = exists().where(of_payment, Charge.id == Payment.charge_id, Charge.state == "paid")
    to_report = exists().where(of_payment, Shipment.payment_id == Payment.id, Shipment.state == "due")
    over = select(Order.id).where(
        Order.forgotten_at.is_(None), Order.created_at < before, Order.state.not_in(OPEN_ORDER), ~to_render, ~to_report
    )
    ids = _locked(over.order_by(Order.created_at).limit(limit).with_for_update(skip_locked=True))
    emptied = {"payer": None, "body": None, "forgotten_at": clock.now()}
    current().execute(update(Order).where(Order.id.in_(ids)).values(emptied))
    return len(ids)


def _forget_wholes(before: datetime, limit: int) -> int:
    """Combined orders whose sub-orders are all forgotten."""
    known = exists().where(Order.combined_id == CombinedOrder.id, Order.forgotten_at.is_(None))
    over = select(CombinedOrder.id).where(
        CombinedOrder.forgotten_at.is_(None), CombinedOrder.created_at < before, ~known
    )  # fmt: skip
    ids = _locked(over.order_by(CombinedOrder.created_at).limit(limit).with_for_update(skip_locked=True))
    emptied = {"body": None, "forgotten_at": clock.now()}
    current().execute(update(CombinedOrder).where(CombinedOrder.id.in_(ids)).values(emptied))
    return len(ids)


def _forget_notices(before: datetime, limit: int) -> int:
    """Notices in the order in which they came: from where it was left off, so that none may be passed by."""
    last = select(func.max(CallbackInbox.received_at)).where(CallbackInbox.forgotten_at.is_not(None)).scalar_subquery()
    over = select(CallbackInbox.channel, CallbackInbox.notify_id).where(
        CallbackInbox.forgotten_at.is_(None), CallbackInbox.received_at < before,
        CallbackInbox.received_at >= func.coalesce(last, literal_column("'-infinity'::timestamptz")),
    )  # fmt: skip
    names = current().execute(over.order_by(CallbackInbox.received_at).limit(limit).with_for_update()).all()
    emptied = {"raw": None, "forgotten_at": clock.now()}
    named = tuple_(CallbackInbox.channel, CallbackInbox.notify_id).in_([tuple(each) for each in names])
    current().execute(update(CallbackInbox).where(named).values(emptied))
    return len(names)


def _locked(wanted: Select[int]) -> Sequence[int]:
    return current().scalars(wanted).all()
