"""Finance says what receipts must say, and has what was refused asked for anew."""

import uuid
from datetime import datetime

from app.domain.payees.queries import place_of_payee
from app.domain.staff.rules import Actor, permit
from app.kernel.db import transaction
from payments.payees import actions as payees
from payments.payees.models import ReceiptTerms
from payments.payees.queries import payee_by_key, terms_by_key
from payments.payees.rules import InvoiceForm, Vat
from payments.receipts import actions as receipts
from payments.receipts.queries import receipt_by_key


def record_terms(
    by: Actor, payee_key: uuid.UUID, since: datetime, *, item_code: str, item_name: str, vat: Vat | None,
    form: InvoiceForm | None, note: str,
) -> ReceiptTerms:  # fmt: skip
    """Write down a payee's item, code, VAT and invoice form from a date on.

    Refuses as `payments.payees.actions.record_terms` does.
    """
    with transaction():
        payee = payee_by_key(payee_key)
        permit(by, "receipts.record_terms", place_of_payee(payee.id))
        return payees.record_terms(
            payee.id, since, item_code=item_code, item_name=item_name, vat=vat, form=form, note=note,
            by=by.label,
        )  # fmt: skip


def confirm_terms(by: Actor, terms_key: uuid.UUID) -> ReceiptTerms:
    """A second person's word that terms are right. Refuses `NoSuchTerms`, `OwnTerms`, `TermsOverlap`."""
    with transaction():
        permit(by, "receipts.confirm_terms", place_of_payee(terms_by_key(terms_key).payee_id))
        return payees.confirm_terms(terms_key, by.label)


def end_terms(by: Actor, terms_key: uuid.UUID, at: datetime) -> ReceiptTerms:
    """Terms hold no longer than to this moment. Refuses `NoSuchTerms`."""
    with transaction():
        permit(by, "receipts.end_terms", place_of_payee(terms_by_key(terms_key).payee_id))
        return payees.end_terms(terms_key, at, by.label)


def retry(by: Actor, receipt_key: uuid.UUID) -> None:
    """Ask anew for what a platform refused. Refuses `NoSuchReceipt`, `NotRefused`."""
    with transaction():
        permit(by, "receipts.retry", place_of_payee(receipt_by_key(receipt_key).payee_id))
        receipts.retry(receipt_key, by.label)
