"""What should stand on a receipt is compared with what does: a new one, a red one, or nothing to do."""

from collections.abc import Callable, Sequence

from sqlalchemy import select

from app.kernel import audit, clock
from app.kernel.crypto import seal, unseal
from app.kernel.db import current, transaction
from app.kernel.ids import new_key
from payments.charges.actions.cases import open_case
from payments.charges.actions.rounds import one_round
from payments.charges.models import Charge
from payments.payees.models import ReceiptTerms
from payments.payees.queries import terms_at
from payments.payees.rules import LEASE
from payments.receipts.actions.locks import lock_request
from payments.receipts.models import InvoiceTitle, Receipt, ReceiptLease, ReceiptLine, ReceiptRequest
from payments.receipts.queries import kept_fen, line_place, live_receipt, place, title_place
from payments.receipts.rules import BLUE, LOOK_AGAIN, RECEIPT, RED, UNTIL_MENDED, remark_of
from payments.receipts.rules.services import Let, Service
from payments.receipts.rules.taxes import tax_within

Describe = Callable[[Charge], Service]
"""What a charge was for, plate and times included, and what was let; whoever opened it knows."""


def plan_due(describe: Describe, limit: int = 50) -> int:
    """Look at up to `limit` requests whose moment has come; returns how many. Several may run at once.

    Nothing is asked of a platform here: receipts are written down, which `issue_due` then has issued.
    """
    return one_round(ReceiptRequest, lambda request_id: _plan(request_id, describe), limit)


def _plan(request_id: int, describe: Describe) -> bool:
    with transaction():
        requests = lock_request(request_id)
        for request in requests:
            request.next_check_at = None
        unsatisfied = [each for each in requests if not _is_satisfied(each)]
        if unsatisfied and all(each.next_check_at is None for each in requests):
            _write_or_wait(unsatisfied, describe)
    return True


def _is_satisfied(request: ReceiptRequest) -> bool:
    """Whether a receipt for the right sum stands, or none is due; what stands for a wrong sum is taken back first."""
    left, found = kept_fen(request.charge_id), live_receipt(request.charge_id)
    if found is None:
        return left == 0
    receipt, line = found
    if line.amount_fen != left:
        _take_back(receipt.id, request)
    return True


def _take_back(receipt_id: int, request: ReceiptRequest) -> None:
    receipt = current().scalars(select(Receipt).filter_by(id=receipt_id).with_for_update()).one()
    if receipt.state == "due":
        RECEIPT.move(receipt, "cancel", "refund", next_check_at=None)
        _look_again_at(receipt)
    elif receipt.state == "issuing":
        request.next_check_at = clock.now() + LOOK_AGAIN  # whether it was issued is asked first
    elif receipt.state == "issued":
        RECEIPT.move(receipt, "reverse", "refund")
        write_red(receipt)


def _look_again_at(receipt: Receipt) -> None:
    lines = select(ReceiptLine.charge_id).filter_by(receipt_id=receipt.id)
    for request in current().scalars(select(ReceiptRequest).where(ReceiptRequest.charge_id.in_(lines))):
        request.next_check_at = clock.now()


def _write_or_wait(requests: Sequence[ReceiptRequest], describe: Describe) -> None:
    payee_id, now = requests[0].payee_id, clock.now()
    terms = terms_at(payee_id, now)
    if terms is None:
        open_case("receipt_without_terms", f"payee:{payee_id}", 3, payee_id=payee_id)
        for request in requests:
            request.next_check_at = now + UNTIL_MENDED
        return
    told = {each.charge_id: describe(current().get_one(Charge, each.charge_id)) for each in requests}
    if terms.invoice_form == LEASE:
        for request in requests:
            _write_lease_or_wait(request, terms, told[request.charge_id])
    else:
        _write(requests, terms, told)


def _write_lease_or_wait(request: ReceiptRequest, terms: ReceiptTerms, told: Service) -> None:
    """One property, one time, one line: whatever was asked for together is invoiced by itself."""
    if told.let is None:
        about = current().get_one(Charge, request.charge_id).description
        open_case("receipt_without_lease", f"request:{request.key}", 3, payee_id=request.payee_id, about=about)
        request.next_check_at = clock.now() + UNTIL_MENDED
        return
    _add_lease(_write([request], terms, {request.charge_id: told}), told.let)


def _write(requests: Sequence[ReceiptRequest], terms: ReceiptTerms, told: dict[int, Service]) -> Receipt:
    first, now, key = requests[0], clock.now(), new_key()
    sums = {each.charge_id: kept_fen(each.charge_id) for each in requests}
    taxes = {charge_id: tax_within(fen, terms.vat_basis_points or 0) for charge_id, fen in sums.items()}
    receipt = Receipt(
        key=key, payee_id=first.payee_id, regime=first.regime, kind=first.kind, motorist_id=first.motorist_id,
        terms_id=terms.id, colour=BLUE, amount_fen=sum(sums.values()), tax_fen=sum(taxes.values()),
        request_no=f"F{key.hex}", state="due", made_at=now, next_check_at=now,
    )  # fmt: skip
    receipt.remark = seal(remark_of([each.words for each in told.values()]), place(receipt, "remark"))
    _make_out(receipt, first)
    current().add(receipt)
    RECEIPT.born(receipt, f"request:{first.key}")
    for charge_id, fen in sums.items():
        about = seal(told[charge_id].words, line_place(receipt, charge_id))
        _add_line(receipt, charge_id, fen, taxes[charge_id], about)
    audit.record("receipt.write", "receipt", receipt.id, f"request:{first.key}", {"amount_fen": receipt.amount_fen})
    return receipt


def _make_out(receipt: Receipt, request: ReceiptRequest) -> None:
    """To the named title, else to the motorist's usual one, else to 个人: so too when the title was emptied."""
    usual = select(InvoiceTitle).filter_by(motorist_id=request.motorist_id, is_usual=True, removed_at=None)
    named = select(InvoiceTitle).filter_by(id=request.title_id)
    automatic = request.title_id is None and request.kind == "fiscal_ebill"
    title = current().scalar(usual if automatic else named)
    if title is not None and title.name:
        receipt.payer_name = seal(unseal(title.name, title_place(title.key)), place(receipt, "payer_name"))
        receipt.payer_tax_number = title.tax_number


def write_red(blue: Receipt) -> Receipt:
    """A red receipt for the whole of a locked blue one."""
    now, key = clock.now(), new_key()
    red = Receipt(
        key=key, payee_id=blue.payee_id, regime=blue.regime, kind=blue.kind, motorist_id=blue.motorist_id,
        terms_id=blue.terms_id, colour=RED, reverses_id=blue.id, amount_fen=blue.amount_fen, tax_fen=blue.tax_fen,
        payer_tax_number=blue.payer_tax_number, request_no=f"F{key.hex}", state="due", made_at=now, next_check_at=now,
    )  # fmt: skip
    red.remark = seal(unseal(blue.remark, place(blue, "remark")), place(red, "remark"))
    if blue.payer_name is not None:
        red.payer_name = seal(unseal(blue.payer_name, place(blue, "payer_name")), place(red, "payer_name"))
    current().add(red)
    RECEIPT.born(red, f"receipt:{blue.key}")
    for line in current().scalars(select(ReceiptLine).filter_by(receipt_id=blue.id).order_by(ReceiptLine.charge_id)):
        about = seal(unseal(line.about, line_place(blue, line.charge_id)), line_place(red, line.charge_id))
        _add_line(red, line.charge_id, line.amount_fen, line.tax_fen, about)
    lease = current().get(ReceiptLease, blue.id)
    if lease is not None:
        _add_lease(red, lease)
    audit.record("receipt.reverse", "receipt", blue.id, f"receipt:{red.key}")
    return red


def _add_line(receipt: Receipt, charge_id: int, fen: int, tax_fen: int, about: bytes) -> None:
    line = ReceiptLine(
        receipt_id=receipt.id, charge_id=charge_id, payee_id=receipt.payee_id, amount_fen=fen, tax_fen=tax_fen,
        about=about, colour=receipt.colour, receipt_state=receipt.state,
    )  # fmt: skip
    current().add(line)
    current().flush()


def _add_lease(receipt: Receipt, let: Let | ReceiptLease) -> None:
    lease = ReceiptLease(
        receipt_id=receipt.id, address=let.address, certificate_number=let.certificate_number,
        begins_on=let.begins_on, ends_on=let.ends_on,
    )  # fmt: skip
    current().add(lease)
    current().flush()
