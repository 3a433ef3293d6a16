"""Finance says what receipts must say, and has what was refused asked for anew."""

import uuid
from datetime import datetime

from app.domain.staff.rules import Actor, Place, permit
from app.kernel.db import transaction
from payments.payees.models import Payee
from payments.payees.queries import payee_by_id, payee_by_key
from payments.receipts import actions as receipts
from payments.receipts.models import ReceiptTerms
from payments.receipts.queries import receipt_by_key, terms_by_key


def record_terms(
    by: Actor, payee_key: uuid.UUID, since: datetime, *, item_code: str, item_name: str, vat_basis_points: int | None,
    note: str,
) -> ReceiptTerms:  # fmt: skip
    """Write down a payee's item, code and VAT rate from a date on. Refuses as `receipts.record_terms` does."""
    with transaction():
        payee = payee_by_key(payee_key)
        permit(by, "receipts.record_terms", _place(payee))
        return receipts.record_terms(
            payee.id, since, item_code=item_code, item_name=item_name, vat_basis_points=vat_basis_points, note=note,
            by=by.label,
        )  # fmt: skip


def confirm_terms(by: Actor, terms_key: uuid.UUID) -> ReceiptTerms:
    """A second person's word that terms are right. Refuses `NoSuchTerms`, `OwnTerms`, `TermsOverlap`."""
    with transaction():
        permit(by, "receipts.confirm_terms", _place(payee_by_id(terms_by_key(terms_key).payee_id)))
        return receipts.confirm_terms(terms_key, by.label)


def end_terms(by: Actor, terms_key: uuid.UUID, at: datetime) -> ReceiptTerms:
    """Terms hold no longer than to this moment. Refuses `NoSuchTerms`."""
    with transaction():
        permit(by, "receipts.end_terms", _place(payee_by_id(terms_by_key(terms_key).payee_id)))
        return receipts.end_terms(terms_key, at, by.label)


def retry(by: Actor, receipt_key: uuid.UUID) -> None:
    """Ask anew for what a platform refused. Refuses `NoSuchReceipt`, `NotRefused`."""
    with transaction():
        permit(by, "receipts.retry", _place(payee_by_id(receipt_by_key(receipt_key).payee_id)))
        receipts.retry(receipt_key, by.label)


def _place(payee: Payee) -> Place:
    return Place(payee.district_code)
