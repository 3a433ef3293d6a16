"""Which receipts a motorist is owed."""

from collections.abc import Sequence

from sqlalchemy import select

from app.kernel.db import transaction
from payments.receipts.models import ReceiptRequest


def receipts_of(motorist_id: int, before_id: int | None = None, limit: int = 50) -> Sequence[ReceiptRequest]:
    """A motorist's own receipts, newest first; `before_id` is the id of the last one already seen."""
    own = select(ReceiptRequest).filter_by(motorist_id=motorist_id).order_by(ReceiptRequest.id.desc()).limit(limit)
    if before_id is not None:
        own = own.where(ReceiptRequest.id < before_id)
    with transaction() as session:
        return session.scalars(own).all()
