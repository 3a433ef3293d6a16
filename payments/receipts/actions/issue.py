"""Platforms are asked for what is written down: intent saved, call made, answer saved; after any doubt asked first."""

from collections.abc import Mapping

from sqlalchemy import select

from app.kernel import audit, clock
from app.kernel.db import current, transaction
from app.kernel.faults import fault_point
from payments.charges.actions.cases import open_case
from payments.charges.actions.rounds import one_round
from payments.receipts.actions.locks import lock_receipt
from payments.receipts.actions.news import note_news
from payments.receipts.actions.request import amend
from payments.receipts.models import Receipt, ReceiptCall, ReceiptLine
from payments.receipts.queries import Written, whole
from payments.receipts.rules import CALL_MAY_TAKE, RECEIPT, RED, SILENT_TOO_LONG, WITHOUT_PLATFORM, next_try
from payments.receipts.rules.platform import Face, FaceLease, Platform, Told

Platforms = Mapping[str, Platform]
"""By the kind of receipt that each issues."""


def issue_due(platforms: Platforms, limit: int = 20) -> int:
    """Have up to `limit` receipts issued whose moment has come; returns how many were taken up.

    Outside any transaction. A platform may be down for a day: what it did not answer is asked about first, then asked
    for again under the same number. The round ends early when a platform is silent.
    """
    return one_round(Receipt, lambda receipt_id: _issue(receipt_id, platforms), limit)


def _issue(receipt_id: int, platforms: Platforms) -> bool:
    with transaction():
        receipt = lock_receipt(receipt_id)
        platform, asked_before = platforms.get(receipt.kind), receipt.state == "issuing"
        if receipt.state not in {"due", "issuing"}:
            receipt.next_check_at = None
            return True
        if platform is None:
            receipt.next_check_at = clock.now() + WITHOUT_PLATFORM
            return True
    if asked_before:
        told = _call(receipt_id, "find", platform)
        if told.kind != "absent":
            return told.kind != "silent"
    return _call(receipt_id, "issue", platform).kind != "silent"


def _call(receipt_id: int, purpose: str, platform: Platform) -> Told:
    face, call_id = _intend(receipt_id, purpose)
    fault_point("receipt.intended")
    told = platform.find(face["request_no"]) if purpose == "find" else platform.issue(face)
    fault_point("receipt.answered")
    with transaction():
        receipt = lock_receipt(receipt_id)
        call = current().get_one(ReceiptCall, call_id)
        call.answer, call.answered_at = told.kind, clock.now()
        if receipt.state == "issuing":
            _follow(receipt, told)
        elif receipt.state == "refused" and told.kind == "issued":
            _puzzle(receipt, told)
    return told


def _intend(receipt_id: int, purpose: str) -> tuple[Face, int]:
    with transaction():
        receipt = lock_receipt(receipt_id)
        if receipt.state == "due":
            RECEIPT.move(receipt, "send", "sweeper")
        receipt.next_check_at = clock.now() + CALL_MAY_TAKE
        call = ReceiptCall(receipt_id=receipt.id, purpose=purpose, intended_at=clock.now())
        current().add(call)
        current().flush()
        return face_of(whole(receipt)), call.id


def _follow(receipt: Receipt, told: Told) -> None:
    if told.kind == "issued":
        _issued(receipt, told)
    elif told.kind == "refused":
        RECEIPT.move(receipt, "refuse", "platform", next_check_at=None, refusal=told.code)
        note_news(receipt)
        open_case("receipt_refused", f"receipt:{receipt.key}", 2, receipt_id=receipt.id, code=told.code)
    else:
        _again(receipt)


def _puzzle(receipt: Receipt, told: Told) -> None:
    """Whoever slept before asking had it issued after it was refused, and perhaps issued anew under another number."""
    about = {"receipt_id": receipt.id, "number": told.number}
    open_case("receipt_contradicted", f"receipt:{receipt.key}", 2, **about)


def _again(receipt: Receipt) -> None:
    now = clock.now()
    receipt.attempts += 1
    receipt.next_check_at = next_try(receipt.attempts, now)
    if now - receipt.made_at > SILENT_TOO_LONG:
        note_news(receipt)
        open_case("receipt_late", f"receipt:{receipt.key}", 3, receipt_id=receipt.id)


def _issued(receipt: Receipt, told: Told) -> None:
    RECEIPT.move(
        receipt, "issue", "platform", next_check_at=None, code=told.code, number=told.number,
        check_code=told.check_code, issued_at=told.issued_at,
    )  # fmt: skip
    audit.record("receipt.issue", "receipt", receipt.id, "platform", {"number": told.number})
    note_news(receipt)
    if receipt.colour == RED:
        blue = current().scalars(select(Receipt).filter_by(id=receipt.reverses_id).with_for_update()).one()
        RECEIPT.move(blue, "take_back", f"receipt:{receipt.key}")
        note_news(blue)
    # what changed while nobody knew whether it was issued is looked at now
    amend(current().scalars(select(ReceiptLine.charge_id).filter_by(receipt_id=receipt.id)).all())


def face_of(said: Written) -> Face:
    """What a platform is told: the same for every attempt."""
    receipt, payee, terms = said.receipt, said.payee, said.terms
    original = said.original
    return Face(
        request_no=receipt.request_no,
        colour=receipt.colour,
        payee_name=payee.collecting_unit_name or payee.name,
        payee_code=payee.collecting_unit_code or payee.tax_number or "",
        district_code=payee.district_code or "",
        payer_name=said.payer_name,
        payer_tax_number=receipt.payer_tax_number or "",
        lines=[
            {"name": terms.item_name, "code": terms.item_code, "about": about, "amount_fen": fen, "tax_fen": tax_fen}
            for about, fen, tax_fen in said.lines
        ],
        amount_fen=receipt.amount_fen,
        tax_fen=receipt.tax_fen,
        vat_method=terms.vat_method,
        vat_basis_points=terms.vat_basis_points,
        lease=_lease_of(said),
        remark=said.remark,
        original_code=(original.code or "") if original else "",
        original_number=(original.number or "") if original else "",
    )


def _lease_of(said: Written) -> FaceLease | None:
    lease, terms = said.lease, said.terms
    if lease is None:
        return None
    assert terms.area_unit is not None
    assert terms.cross_city is not None
    return FaceLease(
        address=lease.address,
        begins_on=lease.begins_on,
        ends_on=lease.ends_on,
        cross_city=terms.cross_city,
        area_unit=terms.area_unit,
        certificate_number=lease.certificate_number,
    )
