"""The treasury does not take what was approved and not sent yet: its paper says so, and what it held is due again."""

import uuid
from datetime import date

from app.kernel import clock
from app.kernel.db import current, refusing, transaction
from app.kernel.refusals import Conflict, Invalid
from payments.remittance.actions.steps import lock_anothers, move
from payments.remittance.models import RemittanceBatch, RemittanceRefusal
from payments.remittance.queries import proposed_on


class RefusalKnown(Conflict):
    """That paper proves the refusal of another batch."""

    code = "treasury_refusal_known"
    message = "该不予受理凭证已用于其他上缴批次"


class RefusalUnfit(Invalid):
    """A refusal has its paper's number, and a day that is not to come, nor before the batch was there."""

    code = "treasury_refusal_unfit"
    message = "请填写凭证号及不早于提交批次、不晚于今日的日期"


def refuse(
    key: uuid.UUID, number: str, refused_on: date, file_id: int, by: str, because: str
) -> RemittanceBatch:  # fmt: skip
    """Write down that the treasury does not take an approved batch (不予受理), with its paper.

    Nothing was paid in and nothing was posted; what it held is due again, and holds back no later batch. The maker's
    word is not enough. Refuses `NoSuchBatch`, `OwnBatch`, `RefusalUnfit`, `RefusalKnown`, `ReasonMissing`,
    `WrongState`: what was sent is given back by the bank (`bounce`).
    """
    with transaction():
        batch, now = lock_anothers(key, by), clock.now()
        if not number.strip() or not proposed_on(batch.id) <= refused_on <= clock.business_day(now):
            raise RefusalUnfit
        move(batch, "refuse", by, because)
        with refusing({"a_treasurys_refusal_is_of_one_batch": RefusalKnown}):
            current().add(
                RemittanceRefusal(
                    batch_id=batch.id, number=number.strip(), refused_on=refused_on, file_id=file_id, recorded_by=by,
                    recorded_at=now,
                )
            )  # fmt: skip
        return batch
