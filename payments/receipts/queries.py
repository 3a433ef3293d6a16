"""Which receipts a motorist is owed or has, to whom they are made out, and what must be planned or issued now."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from app.kernel.crypto import unseal
from app.kernel.db import current, transaction
from app.kernel.money import Fen
from app.kernel.refusals import NotFound
from payments.charges.models import Payment
from payments.payees.models import Payee, ReceiptTerms
from payments.receipts.models import InvoiceTitle, Receipt, ReceiptLease, ReceiptLine, ReceiptRequest
from payments.receipts.rules import BLUE, LIVE
from payments.refunds.models import Refund


class NoSuchReceipt(NotFound):
    """No such receipt, or not this motorist's."""

    code = "no_such_receipt"
    message = "未找到该票据"


class NoSuchTitle(NotFound):
    """No such title, or not this motorist's, or removed."""

    code = "no_such_title"
    message = "未找到该抬头"


@dataclass(frozen=True)
class OwnReceipt:
    """What a motorist sees of the receipt of one charge. `issued` is none until a bill or invoice has a number."""

    request: ReceiptRequest
    state: str
    """owed (an invoice that nobody asked for), wanted, issued, reversing or returned (all money went back)."""
    amount_fen: Fen
    issued: Receipt | None


@dataclass(frozen=True)
class Written:
    """A receipt with everything that stands on it, unsealed."""

    receipt: Receipt
    payee: Payee
    terms: ReceiptTerms
    payer_name: str
    remark: str
    lines: Sequence[tuple[str, Fen, Fen]]
    """What for, gross, and the tax within."""
    original: Receipt | None
    lease: ReceiptLease | None
    """Of an invoice of lease alone."""


def own_receipts(motorist_id: int, before_id: int | None = None, limit: int = 50) -> Sequence[OwnReceipt]:
    """A motorist's receipts, newest first; `before_id` is the id of the last one already seen."""
    own = select(ReceiptRequest).filter_by(motorist_id=motorist_id).order_by(ReceiptRequest.id.desc()).limit(limit)
    if before_id is not None:
        own = own.where(ReceiptRequest.id < before_id)
    with transaction() as session:
        return [_own(each) for each in session.scalars(own.execution_options(populate_existing=True))]


def own_receipt(motorist_id: int, key: uuid.UUID) -> OwnReceipt:
    """The motorist's own, by the key of what a charge is owed. Refuses `NoSuchReceipt`."""
    with transaction() as session:
        own = select(ReceiptRequest).filter_by(motorist_id=motorist_id, key=key)
        found = session.scalar(own.execution_options(populate_existing=True))
        if found is None:
            raise NoSuchReceipt
        return _own(found)


def live_receipt(charge_id: int) -> tuple[Receipt, ReceiptLine] | None:
    """The blue receipt that stands for a charge, and its line; at most one does."""
    live = (
        select(Receipt, ReceiptLine)
        .join(ReceiptLine, ReceiptLine.receipt_id == Receipt.id)
        .where(ReceiptLine.charge_id == charge_id, Receipt.colour == BLUE, Receipt.state.in_(LIVE))
    )
    with transaction() as session:
        row = session.execute(live.execution_options(populate_existing=True)).one_or_none()
        return None if row is None else (row[0], row[1])


def receipts_of_charge(charge_id: int) -> Sequence[Receipt]:
    """Every receipt on which a charge stands or stood, oldest first."""
    with transaction() as session:
        found = select(Receipt).join(ReceiptLine, ReceiptLine.receipt_id == Receipt.id).filter_by(charge_id=charge_id)
        return session.scalars(found.order_by(Receipt.id).execution_options(populate_existing=True)).all()


def kept_fen(charge_id: int) -> Fen:
    """What was paid for a charge less what has gone back of it: the sum for which a receipt may stand."""
    paid = current().scalars(select(Payment).filter_by(charge_id=charge_id, surplus=False)).one_or_none()
    if paid is None:
        return 0
    gone = select(Refund.amount_fen).filter_by(payment_id=paid.id, state="success")
    return paid.paid_fen - sum(current().scalars(gone))


def receipt_by_key(key: uuid.UUID) -> Receipt:
    """A bill or invoice by its key, in whatever state. Refuses `NoSuchReceipt`."""
    with transaction() as session:
        found = session.scalar(select(Receipt).filter_by(key=key).execution_options(populate_existing=True))
        if found is None:
            raise NoSuchReceipt
        return found


def own_titles(motorist_id: int) -> Sequence[tuple[InvoiceTitle, str]]:
    """A motorist's titles with their names, the usual one first."""
    with transaction() as session:
        kept = select(InvoiceTitle).filter_by(motorist_id=motorist_id, removed_at=None)
        found = session.scalars(kept.order_by(InvoiceTitle.is_usual.desc(), InvoiceTitle.id))
        return [(each, unseal(each.name, title_place(each.key))) for each in found]


def own_title(motorist_id: int, key: uuid.UUID) -> InvoiceTitle:
    """One of a motorist's titles. Refuses `NoSuchTitle`."""
    with transaction() as session:
        found = session.scalar(select(InvoiceTitle).filter_by(motorist_id=motorist_id, key=key, removed_at=None))
        if found is None:
            raise NoSuchTitle
        return found


def written(key: uuid.UUID) -> Written:
    """An issued receipt by its own key, with all that stands on it. Refuses `NoSuchReceipt`."""
    with transaction():
        receipt = receipt_by_key(key)
        if receipt.number is None:
            raise NoSuchReceipt
        return whole(receipt)


def whole(receipt: Receipt) -> Written:
    """A receipt with all that stands on it, in the running transaction."""
    session = current()
    lines = session.scalars(select(ReceiptLine).filter_by(receipt_id=receipt.id).order_by(ReceiptLine.charge_id))
    return Written(
        receipt=receipt,
        payee=session.get_one(Payee, receipt.payee_id),
        terms=session.get_one(ReceiptTerms, receipt.terms_id),
        payer_name="" if receipt.payer_name is None else unseal(receipt.payer_name, place(receipt, "payer_name")),
        remark=unseal(receipt.remark, place(receipt, "remark")),
        lines=[
            (unseal(each.about, line_place(receipt, each.charge_id)), each.amount_fen, each.tax_fen) for each in lines
        ],
        original=None if receipt.reverses_id is None else session.get_one(Receipt, receipt.reverses_id),
        lease=session.get(ReceiptLease, receipt.id),
    )


def title_place(key: uuid.UUID) -> str:
    """Where a title's name is sealed to."""
    return f"invoice_title.name:{key}"


def place(receipt: Receipt, column: str) -> str:
    """Where a receipt's words are sealed to."""
    return f"receipt.{column}:{receipt.key}"


def line_place(receipt: Receipt, charge_id: int) -> str:
    """Where a line's words are sealed to."""
    return f"receipt_line.about:{receipt.key}:{charge_id}"


def _own(request: ReceiptRequest) -> OwnReceipt:
    left, found = kept_fen(request.charge_id), live_receipt(request.charge_id)
    issued = found[0] if found is not None and found[0].number is not None else None
    if found is not None and found[0].state in {"issued", "reversing"}:
        return OwnReceipt(request, found[0].state, found[1].amount_fen, issued)
    if left == 0:
        return OwnReceipt(request, "returned", 0, None)
    return OwnReceipt(request, "owed" if request.wanted_at is None else "wanted", left, None)
