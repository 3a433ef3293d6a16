"""退付: finance people file claims with the bureau, and write down what came of them."""

import uuid

from app.domain.refunds.queries import origin_of_refund
from app.domain.staff.rules import Actor, permit
from app.kernel.db import transaction
from payments.refunds import actions as refunds
from payments.refunds.models import Refund


def file(by: Actor, refund_key: uuid.UUID, document_number: str) -> Refund:
    """Say that a claim lies with the finance bureau. Refuses as `payments.refunds.actions.file` does."""
    with transaction():
        permit(by, "refunds.file", origin_of_refund(refund_key).place)
        return refunds.file(refund_key, document_number, by.label)


def record_paid(by: Actor, refund_key: uuid.UUID, voucher_number: str) -> Refund:
    """Say that the treasury has paid. Refuses as `payments.refunds.actions.record_paid` does."""
    with transaction():
        permit(by, "refunds.record_paid", origin_of_refund(refund_key).place)
        return refunds.record_paid(refund_key, voucher_number, by.label)


def record_refusal(by: Actor, refund_key: uuid.UUID, because: str) -> Refund:
    """Say that the treasury does not pay. Refuses as `payments.refunds.actions.record_refusal` does."""
    with transaction():
        permit(by, "refunds.record_refusal", origin_of_refund(refund_key).place)
        return refunds.record_refusal(refund_key, because, by.label)
