"""A batch has arrived: a line of the payee's bank names its document and its very sum, or the treasury says so."""

import uuid
from datetime import date
from typing import Final

from sqlalchemy import select, text

from app.kernel import clock
from app.kernel.db import current, refusing, transaction
from app.kernel.money import Fen
from app.kernel.refusals import Conflict, Invalid
from payments.charges.actions.cases import open_case
from payments.remittance.actions.steps import expect_reason, lock, move
from payments.remittance.models import RemittanceBatch, RemittanceReceipt
from payments.remittance.queries import reference_of
from payments.remittance.rules import PLATFORM

BY_BANK: Final = "银行流水载明缴款书号，金额相符"


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
    """Write down the treasury's own receipt of a batch that was sent, to the fen.

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
        _record(batch, received_on, by, number=number.strip())
        return batch


def find_receipts() -> int:
    """Look for each batch that was sent among the lines of its payee's bank; returns how many were found.

    The line must name the document and be for the very sum; one that names it with another sum is a case, and so is a
    document that several lines name.
    """
    with transaction():
        return sum(_found(batch_id) for batch_id in _sent())


def _sent() -> list[int]:
    return list(current().scalars(select(RemittanceBatch.id).filter_by(state="sent").order_by(RemittanceBatch.id)))


def _found(batch_id: int) -> bool:
    batch = current().scalars(select(RemittanceBatch).filter_by(id=batch_id).with_for_update()).one()
    lines = current().execute(_NAMED, {"payee": batch.payee_id, "document": batch.document_number}).all()
    if batch.state != "sent" or not lines:
        return False
    if len(lines) > 1 or lines[0].amount_fen != -batch.amount_fen:
        told = {"payee_id": batch.payee_id, "fen": batch.amount_fen, "lines_fen": [each.amount_fen for each in lines]}
        open_case("remittance_differs_at_bank", reference_of(batch), 2, **told)
        return False
    move(batch, "receive", PLATFORM, BY_BANK)
    line = lines[0]
    _record(batch, line.booked_on, PLATFORM, statement_id=line.statement_id, line=line.number)
    return True


def _record(batch: RemittanceBatch, received_on: date, by: str, **source: object) -> None:
    whose = {"batch_id": batch.id, "payee_id": batch.payee_id, "amount_fen": batch.amount_fen}
    proof = RemittanceReceipt(**whose, **source, received_on=received_on, recorded_by=by, recorded_at=clock.now())
    with refusing({"a_treasurys_receipt_is_for_one_batch": ReceiptKnown}):
        current().add(proof)


_NAMED: Final = text(
    """
    SELECT line.statement_id, line.number, line.amount_fen, line.booked_on
    FROM bank_statement statement JOIN bank_line line ON line.statement_id = statement.id
    WHERE statement.payee_id = :payee
      AND line.reference ~ ('(^|[^0-9A-Z-])' || CAST(:document AS text) || '($|[^0-9A-Z-])')
      AND NOT EXISTS (SELECT FROM remittance_receipt known
                      WHERE known.statement_id = line.statement_id AND known.line = line.number)
    """
)
