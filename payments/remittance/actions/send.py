"""An approved batch is paid in under the number of its payment-in document; the books say so from then on."""

import uuid

from app.kernel import clock
from app.kernel.db import refusing, transaction
from app.kernel.refusals import Conflict, Invalid
from payments.ledger.actions import post
from payments.remittance.actions.steps import lock, move
from payments.remittance.models import RemittanceBatch
from payments.remittance.queries import reference_of
from payments.remittance.rules import is_document_number, remitted_lines


class DocumentUnfit(Invalid):
    """A payment-in document's number is 6 to 32 digits, capitals or hyphens."""

    code = "document_number_unfit"
    message = "缴款书号须为6至32位数字、大写字母或连字符"


class DocumentKnown(Conflict):
    """Another batch was paid in under this number."""

    code = "document_number_known"
    message = "该缴款书号已用于其他上缴批次"


def send(key: uuid.UUID, document_number: str, by: str, because: str) -> RemittanceBatch:
    """Say that an approved batch was paid in under this document (缴款书号).

    Refuses `NoSuchBatch`, `DocumentUnfit`, `DocumentKnown`, `ReasonMissing`, `WrongState`.
    """
    if not is_document_number(document_number):
        raise DocumentUnfit
    with transaction():
        batch = lock(key)
        with refusing({"a_document_pays_one_batch_in": DocumentKnown}):
            move(batch, "send", by, because, document_number=document_number)
        post("remittance", reference_of(batch), batch.payee_id, clock.now(), remitted_lines(batch.amount_fen))
        return batch
