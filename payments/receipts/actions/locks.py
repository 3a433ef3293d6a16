"""Rows are locked in one order everywhere: requests by id, then receipts by id."""

from collections.abc import Collection, Sequence

from sqlalchemy import select

from app.kernel.db import current
from payments.receipts.models import Receipt, ReceiptLine, ReceiptRequest


def lock_request(request_id: int) -> Sequence[ReceiptRequest]:
    """A request with all that were asked for together with it."""
    together = current().scalar(select(ReceiptRequest.together).filter_by(id=request_id))
    mine = ReceiptRequest.id == request_id if together is None else ReceiptRequest.together == together
    return current().scalars(select(ReceiptRequest).where(mine).order_by(ReceiptRequest.id).with_for_update()).all()


def lock_receipt(receipt_id: int) -> Receipt:
    """A receipt and, before it, the requests of its charges, which never change."""
    lock_requests(current().scalars(select(ReceiptLine.charge_id).filter_by(receipt_id=receipt_id)).all())
    return current().scalars(select(Receipt).filter_by(id=receipt_id).with_for_update()).one()


def lock_requests(charge_ids: Collection[int]) -> Sequence[ReceiptRequest]:
    """The requests of these charges."""
    wanted = select(ReceiptRequest).where(ReceiptRequest.charge_id.in_(charge_ids)).order_by(ReceiptRequest.id)
    return current().scalars(wanted.with_for_update()).all()
