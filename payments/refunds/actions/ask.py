"""A refund is asked for: the money is promised at once, so that nobody can promise it again."""

import uuid
from dataclasses import dataclass, replace

from app.kernel import audit, clock
from app.kernel.db import current, transaction
from app.kernel.ids import new_key
from app.kernel.money import Fen
from app.kernel.refusals import Conflict, Invalid
from payments.charges.models import Charge, Payment
from payments.ledger.actions import post
from payments.ledger.rules import SOE, Line
from payments.payees.models import Payee
from payments.refunds.actions.locks import lock_payment
from payments.refunds.actions.moves import move
from payments.refunds.models import Refund
from payments.refunds.queries import count_of, prepaid_left, refund_reference, way_of
from payments.refunds.rules import (
    BY_TREASURY,
    CHANNEL,
    MOST_REFUNDS,
    PLATFORM,
    REFUND,
    REFUNDABLE_FOR,
    STAFF_REASONS,
    claimed_lines,
    is_lawful,
    requested_lines,
)


class TooMuchRefunded(Conflict):
    """More would go back than was paid; `details` has what is left."""

    code = "refund_exceeds_payment"
    message = "退款金额超过可退余额"


class RefundTooLate(Conflict):
    """WeChat takes no refund a year after the payment."""

    code = "refund_too_late"
    message = "支付已超过365天，无法原路退款"


class TooManyRefunds(Conflict):
    """WeChat takes no more than 50 refunds of one payment."""

    code = "too_many_refunds"
    message = "该笔支付的退款次数已达50次上限"


class PartlyRemitted(Conflict):
    """A part of it was never earned and goes back as it came, the rest is the treasury's: they are asked for apart."""

    code = "refund_partly_remitted"
    message = "该笔款项部分已上缴财政，请将未入账部分与已上缴部分分别申请退款"


class RefundReasonUnfit(Invalid):
    """The reason is not on the list, or gives away what is the treasury's."""

    code = "refund_reason_unfit"
    message = "退款原因不在允许范围内，财政资金不得自行减免"


class RefundBasisMissing(Invalid):
    """Who asks for a refund says why, in words, without personal data."""

    code = "refund_basis_missing"
    message = "请填写退款依据"


class RefundSumUnfit(Invalid):
    """A refund is for 1 fen at least."""

    code = "refund_sum_unfit"
    message = "退款金额须为至少1分的整数"


@dataclass(frozen=True)
class Wish:
    """What is to go back and why; an enterprise's up to `alone_up_to_fen` of one payment in all needs one person."""

    amount_fen: Fen
    reason: str
    basis: str | None
    asked_by: str
    alone_up_to_fen: Fen
    on_moved: str


def ask(
    payment_key: uuid.UUID, amount_fen: Fen, *, reason: str, basis: str, asked_by: str, alone_up_to_fen: Fen,
    on_moved: str,
) -> Refund:  # fmt: skip
    """Promise a part of a payment to the motorist.

    An enterprise's money is approved with that while all refunds of the payment come to no more than `alone_up_to_fen`:
    a large sum in small pieces is a large sum. The treasury's is always decided by another; what was remitted is
    claimed from there (退付). At each step the job `on_moved` is enqueued with `refund_id`. Refuses `NoSuchPayment`,
    `RefundSumUnfit`, `RefundReasonUnfit`, `RefundBasisMissing`, `TooMuchRefunded`, `RefundTooLate`, `TooManyRefunds`,
    `PartlyRemitted`.
    """
    if amount_fen < 1:
        raise RefundSumUnfit
    if not basis.strip():
        raise RefundBasisMissing
    if reason not in STAFF_REASONS:
        raise RefundReasonUnfit
    wish = Wish(amount_fen, reason, basis.strip(), asked_by, alone_up_to_fen, on_moved)
    with transaction():
        return promise(*lock_payment(payment_key), wish)


def promise(charge: Charge, payment: Payment, wish: Wish) -> Refund:
    """Reserve, post and write down a refund of a locked payment. Refuses as `ask` does."""
    payee = current().get_one(Payee, payment.payee_id)
    prepaid = 0 if payment.surplus else min(wish.amount_fen, prepaid_left(charge, payment))
    way = _way(charge, payment, wish.amount_fen, prepaid)
    _expect_possible(payment, payee, wish, way)
    alone = max(wish.alone_up_to_fen - payment.refund_reserved_fen, 0) if payee.regime == SOE else 0
    payment.refund_reserved_fen += wish.amount_fen
    refund = _written(payment, payee, replace(wish, alone_up_to_fen=alone), prepaid, way)
    post("refund_request", refund_reference(refund), payee.id, clock.now(), _lines(refund))
    audit.record("refund.ask", "refund", refund.id, wish.asked_by, {"amount_fen": wish.amount_fen})
    if wish.asked_by == PLATFORM or wish.amount_fen <= alone:
        move(refund, "approve", wish.asked_by, next_check_at=clock.now())
    return refund


def _way(charge: Charge, payment: Payment, amount_fen: Fen, prepaid_fen: Fen) -> str:
    if payment.surplus or amount_fen <= prepaid_fen:
        return CHANNEL
    way = way_of(charge)
    if way == BY_TREASURY and prepaid_fen:
        raise PartlyRemitted(never_earned_fen=prepaid_fen)
    return way


def _lines(refund: Refund) -> list[Line]:
    if refund.way == BY_TREASURY:
        return claimed_lines(refund.amount_fen)
    return requested_lines(refund.regime, refund.amount_fen, refund.from_prepaid_fen, surplus=refund.surplus)


def _expect_possible(payment: Payment, payee: Payee, wish: Wish, way: str) -> None:
    left = payment.paid_fen - payment.refund_reserved_fen
    if not is_lawful(wish.reason, payee.regime):
        raise RefundReasonUnfit
    if wish.amount_fen > left:
        raise TooMuchRefunded(left_fen=left)
    if way == CHANNEL and clock.now() >= payment.paid_at + REFUNDABLE_FOR:
        raise RefundTooLate
    if way == CHANNEL and count_of(payment) >= MOST_REFUNDS:
        raise TooManyRefunds


def _written(payment: Payment, payee: Payee, wish: Wish, prepaid_fen: Fen, way: str) -> Refund:
    now, key = clock.now(), new_key()
    refund = Refund(
        key=key, payment_id=payment.id, charge_id=payment.charge_id, channel_id=payment.channel_id,
        payee_id=payee.id, regime=payee.regime, paid_fen=payment.paid_fen, surplus=payment.surplus,
        amount_fen=wish.amount_fen, from_prepaid_fen=prepaid_fen, reason=wish.reason, basis=wish.basis,
        asked_by=wish.asked_by, asked_at=now, alone_up_to_fen=wish.alone_up_to_fen, out_refund_no=f"R{key.hex}",
        state="requested", moved_at=now, on_moved=wish.on_moved, way=way,
    )  # fmt: skip
    current().add(refund)
    REFUND.born(refund, wish.asked_by)
    return refund
