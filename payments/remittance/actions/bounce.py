"""The bank gave back what was sent: its paper says so, the books say so, and what it held is due again."""

import uuid
from datetime import date

from app.kernel import clock
from app.kernel.db import current, refusing, transaction
from app.kernel.money import Fen
from app.kernel.refusals import Conflict, Invalid
from payments.ledger.actions import post
from payments.remittance.actions.steps import lock_anothers, move
from payments.remittance.models import RemittanceBatch, RemittanceBounce
from payments.remittance.queries import reference_of, sent_on
from payments.remittance.rules import bounced_lines


class OtherSumReturned(Conflict):
    """The bank's paper is for another sum than the batch; `details` has both."""

    code = "remittance_return_differs"
    message = "退汇金额与上缴批次金额不一致"


class ReturnKnown(Conflict):
    """That paper proves the return of another batch."""

    code = "bank_return_known"
    message = "该退汇凭证已用于其他上缴批次"


class ReturnUnfit(Invalid):
    """A return has its paper's number."""

    code = "bank_return_unfit"
    message = "请填写退汇凭证号"


class ReturnOutOfTime(Invalid):
    """Nothing comes back before the day on which it was sent, which `details` has, nor on a day that is to come."""

    code = "bank_return_out_of_time"
    message = "退汇日期不得早于报送日，也不得晚于今日"


def bounce(
    key: uuid.UUID, number: str, returned_on: date, amount_fen: Fen, file_id: int, by: str, because: str
) -> RemittanceBatch:  # fmt: skip
    """Write down that the bank gave a batch back whole (退汇), whatever was thought of it, with its paper.

    What it held is due again, for another batch under another document. The maker's word is not enough. Refuses
    `NoSuchBatch`, `OwnBatch`, `ReturnUnfit`, `ReturnOutOfTime`, `OtherSumReturned`, `ReturnKnown`, `ReasonMissing`,
    `WrongState`.
    """
    with transaction():
        batch, now = lock_anothers(key, by), clock.now()
        if not number.strip():
            raise ReturnUnfit
        sent = sent_on(batch.id)
        if not (sent or returned_on) <= returned_on <= clock.business_day(now):
            raise ReturnOutOfTime(sent_on=sent)
        if amount_fen != batch.amount_fen:
            raise OtherSumReturned(batch_fen=batch.amount_fen, returned_fen=amount_fen)
        move(batch, "bounce", by, because)
        post("remittance_bounce", reference_of(batch), batch.payee_id, now, bounced_lines(batch.amount_fen))
        with refusing({"a_banks_return_is_of_one_batch": ReturnKnown}):
            current().add(
                RemittanceBounce(
                    batch_id=batch.id, payee_id=batch.payee_id, amount_fen=amount_fen, number=number.strip(),
                    returned_on=returned_on, file_id=file_id, recorded_by=by, recorded_at=now,
                )
            )  # fmt: skip
        return batch
