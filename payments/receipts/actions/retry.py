"""What a platform refused is asked for anew, under a new number, when a person has mended the cause."""

import uuid

from sqlalchemy import select

from app.kernel import audit
from app.kernel.db import current, transaction
from app.kernel.refusals import Conflict
from payments.receipts.actions.locks import lock_receipt
from payments.receipts.actions.plan import write_red
from payments.receipts.actions.request import amend
from payments.receipts.models import Receipt, ReceiptLine
from payments.receipts.queries import NoSuchReceipt
from payments.receipts.rules import RED


class NotRefused(Conflict):
    """Only a refused receipt is asked for anew."""

    code = "receipt_not_refused"
    message = "只有被平台退回的票据可以重新申请"


def retry(key: uuid.UUID, by: str) -> None:
    """Ask again for a refused receipt: a red one takes back the same blue one, a blue one is planned afresh.

    Refuses `NoSuchReceipt`, `NotRefused`, also when somebody did so before.
    """
    with transaction():
        receipt_id = current().scalar(select(Receipt.id).filter_by(key=key))
        if receipt_id is None:
            raise NoSuchReceipt
        refused = lock_receipt(receipt_id)
        if refused.state != "refused":
            raise NotRefused
        audit.record("receipt.retry", "receipt", refused.id, by)
        if refused.colour == RED:
            _reverse_again(refused)
        else:
            amend(current().scalars(select(ReceiptLine.charge_id).filter_by(receipt_id=refused.id)).all())


def _reverse_again(refused: Receipt) -> None:
    blue = current().scalars(select(Receipt).filter_by(id=refused.reverses_id).with_for_update()).one()
    other = select(Receipt.id).where(Receipt.reverses_id == blue.id, Receipt.state != "refused")
    if blue.state != "reversing" or current().scalar(other) is not None:
        raise NotRefused
    write_red(blue)
