"""A batch has arrived: the treasury says so."""

import uuid
from datetime import date

from app.kernel import clock
from app.kernel.db import refusing, transaction
from app.kernel.money import Fen
from app.kernel.refusals import Conflict, Invalid
from payments.remittance.actions.steps import expect_reason, lock, move, prove
from payments.remittance.models import RemittanceBatch


class OtherSumReceived(Conflict):
    """The treasury's receipt is for another sum than the batch; `details` has both."""

    code = "remittance_sum_differs"
    message = "回单金额与上缴批次金额不一致"


class ReceiptKnown(Conflict):
    """That receipt proves another batch."""

    code = "treasury_receipt_known"
    message = "该回单已用于其他上缴批次"


class ReceiptUnfit(Invalid):
    """A receipt has a number, and a day that is not to come."""

    code = "treasury_receipt_unfit"
    message = "请填写回单号及不晚于今日的到账日期"


def receive(key: uuid.UUID, number: str, received_on: date, amount_fen: Fen, by: str, because: str) -> RemittanceBatch:
    """Write down the treasury's own receipt of a batch that was sent or has left, to the fen.

    Refuses `NoSuchBatch`, `ReceiptUnfit`, `OtherSumReceived`, `ReceiptKnown`, `ReasonMissing`, `WrongState`.
    """
    with transaction():
        expect_reason(because)
        batch = lock(key)
        if not number.strip() or received_on > clock.business_day(clock.now()):
            raise ReceiptUnfit
        if amount_fen != batch.amount_fen:
            raise OtherSumReceived(batch_fen=batch.amount_fen, receipt_fen=amount_fen)
        move(batch, "receive", by, because)
        with refusing({"a_treasurys_receipt_is_for_one_batch": ReceiptKnown}):
            prove(batch, received_on, by, number=number.strip())
        return batch
