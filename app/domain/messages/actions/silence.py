"""WeChat shows somebody nothing more: what waits is not sent, and no consent is left."""

from sqlalchemy import select, update

from app.domain.messages.models import MessageConsent, MessageDelivery
from app.domain.messages.rules import DELIVERY
from app.kernel import clock
from app.kernel.db import current, transaction


def silence(motorist_id: int, cause: str) -> None:
    """Send nothing that waits for this motorist, and nothing later: their consents are void."""
    with transaction():
        now = clock.now()
        waiting = select(MessageDelivery).filter_by(motorist_id=motorist_id, state="due").order_by(MessageDelivery.id)
        for delivery in current().scalars(waiting.with_for_update()).all():
            DELIVERY.move(delivery, "expire", cause, ended_at=now)
        left = update(MessageConsent).filter_by(motorist_id=motorist_id, ended_at=None)
        current().execute(left.values(ended_at=now, ended_as="void"))
