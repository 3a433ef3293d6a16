"""A refund goes to WeChat: intent saved, call made, answer saved; after any doubt the same bytes again."""

from dataclasses import dataclass, field

from app.kernel import clock
from app.kernel.db import current, transaction
from app.kernel.faults import fault_point
from payments.charges.actions import calls
from payments.charges.actions.cases import open_case
from payments.charges.models import Order, Payment
from payments.payees.models import MerchantChannel
from payments.refunds.actions.learn import learn
from payments.refunds.actions.locks import lock_refund_by_id
from payments.refunds.actions.moves import move
from payments.refunds.models import Refund
from payments.refunds.queries import refund_reference
from payments.refunds.rules import CALL_MAY_TAKE, CHANNEL, IN_A_WHILE, NO_FUNDS, REASONS, UNKNOWN_TOO_LONG, next_check
from payments.wechat import SIGNATURE_HOLDS, Done, RefundOrder, RefundSeen, Refused, Unknown, WeChatPay

ANSWER = "answer"
Outcome = Done[RefundSeen] | Refused | Unknown


@dataclass(frozen=True)
class Attempt:
    """One request for a refund, written down and committed before it leaves."""

    call: calls.Intended
    body: bytes = field(repr=False)


def send(refund_id: int, pay: WeChatPay, notify_url: str) -> bool:
    """Ask WeChat for an approved refund, or again for one of which WeChat has not heard. Outside any transaction.

    The number and the bytes stay the same for ever. What leaves long after it was intended WeChat refuses: meanwhile
    somebody may have given the refund up, and asked for another. Returns whether WeChat answered at all.
    """
    attempt = _attempt(refund_id, notify_url)
    if attempt is None:
        return True
    fault_point("refund.intended")
    outcome = pay.create_refund(attempt.body, attempt.call.at)
    fault_point("refund.answered")
    _save(refund_id, attempt, outcome)
    return not isinstance(outcome, Unknown)


def doubt(refund: Refund, outcome: Refused | Unknown) -> None:
    """Nothing is concluded: WeChat is asked again, and a person hears of what may not pass by itself."""
    now = clock.now()
    if refund.state == "submitting":
        move(refund, "time_out", ANSWER)
    refund.next_check_at = next_check(refund.state, refund.checks, now)
    refund.checks += 1
    if isinstance(outcome, Refused) and outcome.code in NO_FUNDS:
        open_case("refund_without_funds", refund_reference(refund), 2, refund_id=refund.id)
    elif isinstance(outcome, Refused) and outcome.code not in IN_A_WHILE:
        open_case("refund_refused", refund_reference(refund), 2, refund_id=refund.id, code=outcome.code)
    elif refund.state == "unknown" and now - refund.moved_at > UNKNOWN_TOO_LONG:
        open_case("refund_unknown_too_long", refund_reference(refund), 2, refund_id=refund.id)


def _attempt(refund_id: int, notify_url: str) -> Attempt | None:
    with transaction():
        payment, refund = lock_refund_by_id(refund_id)
        again = clock.now() + CALL_MAY_TAKE
        if refund.state == "approved" and refund.way == CHANNEL:
            body = _body(payment, refund, notify_url)
            move(refund, "send", "platform", body=body, next_check_at=again)
        elif refund.state != "unknown":
            return None
        refund.next_check_at = again
        assert refund.body is not None
        return Attempt(calls.intend_refund(refund.id, refund.body), refund.body)


def _body(payment: Payment, refund: Refund, notify_url: str) -> bytes:
    return RefundOrder(
        sub_mchid=current().get_one(MerchantChannel, refund.channel_id).sub_mchid,
        transaction_id=payment.transaction_id, out_refund_no=refund.out_refund_no, reason=REASONS[refund.reason],
        notify_url=notify_url, refund_fen=refund.amount_fen,
        total_fen=current().get_one(Order, payment.order_id).amount_fen,
    ).body()  # fmt: skip


def _save(refund_id: int, attempt: Attempt, outcome: Outcome) -> None:
    with transaction():
        payment, refund = lock_refund_by_id(refund_id)
        calls.answer(attempt.call.call_id, outcome)
        if isinstance(outcome, Done):
            learn(payment, refund, outcome.value, ANSWER)
        elif refund.state in {"submitting", "unknown"}:
            doubt(refund, Unknown("slept") if _has_slept(attempt, outcome) else outcome)


def _has_slept(attempt: Attempt, outcome: Outcome) -> bool:
    """What WeChat refuses so long after it was intended tells of our sleep, and nothing of the refund."""
    return isinstance(outcome, Refused) and clock.now() - attempt.call.at > SIGNATURE_HOLDS
