"""What was rendered before WeChat wanted to know of it is found again, the newest first."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Row, exists, select

from app.kernel.db import current, transaction
from app.kernel.states import StateEvent
from payments.charges.models import Charge, Order, Payment
from payments.charges.rules import CHARGE
from payments.shipping.actions.note import note
from payments.shipping.models import Shipment, TradeManagement
from payments.shipping.rules import REACHES_BACK


def find_rendered(limit: int = 200) -> int:
    """Look through up to `limit` payments for services that nobody noted, until it reaches far enough back.

    Returns how many it looked through; several may run at once. What is not rendered yet is noted when it is.
    """
    with transaction():
        word = current().scalar(select(TradeManagement).where(TradeManagement.managed).with_for_update())
        if word is None or word.unsought_before is None or word.managed_since is None:
            return 0
        seen = _newest_before(word.unsought_before, word.managed_since - REACHES_BACK, limit)
        for payment_id, rendered_at in _rendered(seen):
            note(payment_id, rendered_at)
        word.unsought_before = seen[-1] if len(seen) == limit else None
        return len(seen)


def _newest_before(payment_id: int, earliest: datetime, limit: int) -> list[int]:
    """So many payments before this one; fewer when it comes to those that are older than the earliest moment."""
    known = select(Payment.id, Payment.learned_at).where(Payment.id < payment_id)
    rows = current().execute(known.order_by(Payment.id.desc()).limit(limit)).all()
    return [found for found, learned_at in rows if learned_at >= earliest]


def _rendered(payment_ids: Sequence[int]) -> Sequence[Row[int, datetime]]:
    """Those of which something was earned, and when."""
    reported = exists().where(Shipment.payment_id == Payment.id)
    earned = (
        select(Payment.id, StateEvent.at)
        .join(Charge, Charge.id == Payment.charge_id)
        .join(StateEvent, (StateEvent.machine == CHARGE.name) & (StateEvent.entity_id == Charge.id))
        .join(Order, Order.id == Payment.order_id)
        .where(
            Payment.id.in_(payment_ids), StateEvent.event == "fulfil", ~Payment.surplus, ~reported,
            Payment.refund_reserved_fen < Payment.paid_fen, Order.forgotten_at.is_(None),
        )
    )  # fmt: skip
    return current().execute(earned.order_by(Payment.order_id, Payment.id)).all()
