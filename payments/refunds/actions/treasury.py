"""退付: a refund of money that was remitted is filed with the finance bureau, and paid or refused by the treasury."""

import uuid

from app.kernel import audit, clock
from app.kernel.db import transaction
from app.kernel.refusals import Conflict, Invalid
from payments.ledger.actions import post
from payments.receipts.actions.request import amend
from payments.refunds.actions.locks import lock_refund
from payments.refunds.actions.moves import let_go, move
from payments.refunds.models import Refund
from payments.refunds.queries import refund_reference
from payments.refunds.rules import BY_TREASURY, repaid_lines


class NotTheTreasurys(Conflict):
    """This refund goes back through WeChat: its money was not remitted when it was asked for."""

    code = "refund_not_by_treasury"
    message = "该笔退款原路退回，不办理财政退付"


class PaperMissing(Invalid):
    """A claim has the number of its application, a payment that of its voucher, and a refusal says why."""

    code = "refund_paper_missing"
    message = "请填写退付申请书号、退付凭证号或不予退付的理由"


def file(refund_key: uuid.UUID, document_number: str, by: str) -> Refund:
    """Say that an approved claim lies with the finance bureau under this application (退付申请书号).

    Refuses `NoSuchRefund`, `NotTheTreasurys`, `PaperMissing`, `WrongState`.
    """
    with transaction():
        refund = _treasurys(refund_key)
        move(refund, "file", by, document_number=_told(document_number))
        audit.record("refund.file", "refund", refund.id, by)
        return refund


def record_paid(refund_key: uuid.UUID, voucher_number: str, by: str) -> Refund:
    """Say that the treasury has paid the motorist under this voucher (退付凭证号). Refuses as `file` does."""
    with transaction():
        refund = _treasurys(refund_key)
        move(refund, "pay", by, voucher_number=_told(voucher_number))
        lines = repaid_lines(refund.amount_fen)
        post("refund_by_treasury", refund_reference(refund), refund.payee_id, clock.now(), lines)
        amend([refund.charge_id])
        audit.record("refund.record_paid", "refund", refund.id, by)
        return refund


def record_refusal(refund_key: uuid.UUID, because: str, by: str) -> Refund:
    """Say that the finance bureau does not pay it back: the money stays where it is. Refuses as `file` does."""
    with transaction():
        payment, refund = lock_refund(refund_key)
        _expect_treasurys(refund)
        reason = _told(because)
        let_go(payment, refund, "refuse", by)
        audit.record("refund.record_refusal", "refund", refund.id, by, {"because": reason})
        return refund


def _treasurys(refund_key: uuid.UUID) -> Refund:
    _, refund = lock_refund(refund_key)
    _expect_treasurys(refund)
    return refund


def _expect_treasurys(refund: Refund) -> None:
    if refund.way != BY_TREASURY:
        raise NotTheTreasurys


def _told(text: str) -> str:
    if not text.strip():
        raise PaperMissing
    return text.strip()
