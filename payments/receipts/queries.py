"""Which receipts a motorist is owed."""

from collections.abc import Sequence

from sqlalchemy import select

from app.kernel.db import transaction
from payments.receipts.models import ReceiptRequest


def receipts_of(motorist_id: int) -> Sequence[ReceiptRequest]:
    """A motorist's own receipts, newest first."""
    with transaction() as session:
        own = select(ReceiptRequest).filter_by(motorist_id=motorist_id)
        return session.scalars(own.order_by(ReceiptRequest.id.desc())).all()
