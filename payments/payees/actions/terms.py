"""What a payee's receipts must say is recorded by one person of finance and confirmed by another."""

import uuid
from datetime import datetime
from typing import Final

from sqlalchemy import select

from app.kernel import audit, clock
from app.kernel.db import current, refusing, transaction
from app.kernel.refusals import Conflict, Invalid, NotAllowed
from app.kernel.spans import span
from payments.ledger.rules import SOE
from payments.payees.models import Payee, ReceiptTerms
from payments.payees.queries import NoSuchTerms, payee_by_id
from payments.payees.rules import InvoiceForm, Vat, says_sample


class TermsUnfit(Invalid):
    """An enterprise's terms need a VAT method, a rate of up to 20 % and an invoice form, a fiscal payee's have none.

    Lease needs area unit and cross-city flag, which plain lines have not; all need words.
    """

    code = "receipt_terms_unfit"
    message = (
        "开票要素不完整：企业须填计税方法、税率（0至20%）和开票方式，财政收费主体不填；"
        "按不动产经营租赁服务开票须填面积单位和跨地（市）标志，普通明细不填；项目编码、名称和依据必填"
    )


class ItemOfAnother(Invalid):
    """A fiscal bill names the item under which the money is paid in: the payee's own."""

    code = "receipt_item_of_another"
    message = "项目编码与收费主体的非税收入项目编码不一致"


class OwnTerms(NotAllowed):
    """Who recorded terms does not confirm them."""

    code = "own_receipt_terms"
    message = "开票要素须由另一人确认"


class TermsOverlap(Conflict):
    """Other confirmed terms of the payee hold at that time."""

    code = "receipt_terms_overlap"
    message = "该收费主体在此期间已有经确认的开票要素"


_UNFIT: Final = {
    "a_payee_has_one_kind_of_terms_at_a_time": TermsOverlap,
    "confirmed_terms_name_their_payees_item": ItemOfAnother,
}


def record_terms(
    payee_id: int, since: datetime, *, item_code: str, item_name: str, vat: Vat | None, form: InvoiceForm | None,
    note: str, by: str,
) -> ReceiptTerms:  # fmt: skip
    """Write down item and code from a date on, of an enterprise VAT and invoice form too.

    They count when another has confirmed them.

    A note with the word 示例 makes them a sample. Refuses `NoSuchPayee`, `TermsUnfit`, `ItemOfAnother`.
    """
    with transaction() as session:
        payee = payee_by_id(payee_id)
        words = [each.strip() for each in (item_code, item_name, note)]
        if not all(words) or not _fits(payee, vat, form):
            raise TermsUnfit
        if payee.item_code not in {None, words[0]}:
            raise ItemOfAnother(item_code=payee.item_code)
        terms = ReceiptTerms(
            payee_id=payee.id, regime=payee.regime, valid=span(since, None), item_code=words[0], item_name=words[1],
            vat_method=vat.method if vat else None, vat_basis_points=vat.basis_points if vat else None,
            invoice_form=form.name if form else None, cross_city=form.cross_city if form else None,
            area_unit=form.area_unit.strip() if form and form.area_unit else None, note=words[2],
            sample=says_sample(words[2]), recorded_by=by, recorded_at=clock.now(),
        )  # fmt: skip
        session.add(terms)
        session.flush()
        audit.record("receipt_terms.record", "receipt_terms", terms.id, by)
        return terms


def confirm_terms(key: uuid.UUID, by: str) -> ReceiptTerms:
    """A second person's word that terms are right.

    Refuses `NoSuchTerms`, `OwnTerms`, `TermsOverlap`, and `ItemOfAnother` for what was recorded before items were held
    against the payee's.
    """
    with transaction():
        terms = _locked(key)
        if terms.recorded_by == by:
            raise OwnTerms
        if terms.confirmed_by is None:
            with refusing(_UNFIT) as session:
                terms.confirmed_by, terms.confirmed_at = by, clock.now()
                session.flush()
            audit.record("receipt_terms.confirm", "receipt_terms", terms.id, by)
        return terms


def end_terms(key: uuid.UUID, at: datetime, by: str) -> ReceiptTerms:
    """They hold no longer than to this moment; what was issued by them stays. Refuses `NoSuchTerms`."""
    with transaction():
        terms = _locked(key)
        assert terms.valid.lower is not None
        terms.valid = span(terms.valid.lower, max(at, terms.valid.lower))
        audit.record("receipt_terms.end", "receipt_terms", terms.id, by)
        return terms


def _fits(payee: Payee, vat: Vat | None, form: InvoiceForm | None) -> bool:
    if payee.regime != SOE:
        return vat is None and form is None
    return vat is not None and vat.is_possible and form is not None and form.is_possible


def _locked(key: uuid.UUID) -> ReceiptTerms:
    found = current().scalars(select(ReceiptTerms).filter_by(key=key).with_for_update()).one_or_none()
    if found is None:
        raise NoSuchTerms
    return found
