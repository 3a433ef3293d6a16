"""A motorist asks for an invoice: for one service, or one invoice for several."""

import uuid
from collections.abc import Collection, Sequence

from sqlalchemy import select

from app.kernel import clock
from app.kernel.db import current, transaction
from app.kernel.ids import new_key
from app.kernel.refusals import Conflict, Invalid
from payments.payees.queries import terms_at
from payments.payees.rules import LEASE
from payments.receipts.models import InvoiceTitle, ReceiptRequest
from payments.receipts.queries import NoSuchReceipt, kept_fen, own_title
from payments.receipts.rules import MOST_TOGETHER, TAX_INVOICE


class AskedBefore(Conflict):
    """An invoice for this service is issued, or on its way."""

    code = "receipt_asked_before"
    message = "该笔费用已开具或正在开具票据，不能重复开票"


class IssuedByItself(Invalid):
    """A fiscal bill needs no request: it follows the payment."""

    code = "fiscal_bill_issued_by_itself"
    message = "财政电子票据在缴费后自动开具，无需申请"


class SeveralPayees(Invalid):
    """One invoice is one seller's."""

    code = "several_payees"
    message = "不同收费主体的费用不能开在同一张发票上，请分别申请"


class LeasesApart(Invalid):
    """The seller invoices lease (不动产经营租赁服务), of which an invoice has one line: one property for one time."""

    code = "leases_apart"
    message = "该收费主体按不动产经营租赁服务开票，一张发票只能开一次停车，请逐次申请"


class NothingToInvoice(Conflict):
    """All that was paid has gone back."""

    code = "nothing_to_invoice"
    message = "该笔费用已全部退款，无可开票金额"


class TooManyTogether(Invalid):
    """One invoice is for 1 to 50 services."""

    code = "too_many_together"
    message = "一张发票最多合并50次停车"


def ask_invoice(motorist_id: int, keys: Collection[uuid.UUID], title_key: uuid.UUID | None) -> Sequence[ReceiptRequest]:
    """Want one invoice for what these payments are owed; without a title it is made out to 个人.

    Refuses `TooManyTogether`, `NoSuchReceipt`, `NoSuchTitle`, `IssuedByItself`, `SeveralPayees`, `LeasesApart`,
    `AskedBefore`, `NothingToInvoice`.
    """
    if not 1 <= len(set(keys)) <= MOST_TOGETHER:
        raise TooManyTogether
    with transaction():
        title = own_title(motorist_id, title_key) if title_key is not None else None
        requests = _locked(motorist_id, set(keys))
        _expect_one_invoice(requests)
        together = new_key() if len(requests) > 1 else None
        for request in requests:
            _want(request, title, together)
        return requests


def _locked(motorist_id: int, keys: Collection[uuid.UUID]) -> Sequence[ReceiptRequest]:
    own = select(ReceiptRequest).where(ReceiptRequest.motorist_id == motorist_id, ReceiptRequest.key.in_(keys))
    found = current().scalars(own.order_by(ReceiptRequest.id).with_for_update()).all()
    if len(found) != len(keys):
        raise NoSuchReceipt
    return found


def _expect_one_invoice(requests: Sequence[ReceiptRequest]) -> None:
    if any(each.kind != TAX_INVOICE for each in requests):
        raise IssuedByItself
    if len({each.payee_id for each in requests}) > 1:
        raise SeveralPayees
    if len(requests) > 1 and _are_leases(requests[0].payee_id):
        raise LeasesApart
    if any(each.wanted_at is not None for each in requests):
        raise AskedBefore
    if any(kept_fen(each.charge_id) == 0 for each in requests):
        raise NothingToInvoice


def _are_leases(payee_id: int) -> bool:
    terms = terms_at(payee_id, clock.now())
    return terms is not None and terms.invoice_form == LEASE


def _want(request: ReceiptRequest, title: InvoiceTitle | None, together: uuid.UUID | None) -> None:
    now = clock.now()
    request.wanted_at, request.next_check_at, request.together = now, now, together
    request.title_id = title.id if title else None
