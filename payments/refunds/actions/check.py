"""Asking WeChat is how we know of a refund whose notice never came, or whose answer was lost."""

from dataclasses import dataclass
from datetime import datetime

from app.kernel import clock
from app.kernel.db import transaction
from payments.charges.actions.cases import open_case
from payments.charges.models import Payment
from payments.payees.models import MerchantChannel
from payments.refunds.actions.learn import learn
from payments.refunds.actions.locks import lock_refund_by_id
from payments.refunds.actions.moves import let_go, move
from payments.refunds.actions.send import Outcome, doubt, send
from payments.refunds.models import Refund
from payments.refunds.queries import refund_reference
from payments.refunds.rules import ASKED_ABOUT, HEARD_WITHIN, NO_SUCH_REFUND, next_check
from payments.wechat import Done, Refused, Unknown, WeChatPay

QUERY = "query"


@dataclass(frozen=True)
class Question:
    """What WeChat is asked about a refund, and when: an answer may be older than the moment at which it is read."""

    out_refund_no: str
    sub_mchid: str
    asked_at: datetime


def check_refund(refund_id: int, pay: WeChatPay, notify_url: str) -> bool:
    """Bring one refund forward: send it when it is approved, else ask WeChat, and send again what it has not heard of.

    Outside any transaction. Returns whether WeChat gave an answer at all.
    """
    question = _question(refund_id)
    if question is None:
        return send(refund_id, pay, notify_url)
    answer = pay.query_refund(question.out_refund_no, question.sub_mchid)
    if _must_be_sent(refund_id, answer, question.asked_at):
        return send(refund_id, pay, notify_url)
    return not isinstance(answer, Unknown)


def _question(refund_id: int) -> Question | None:
    """None when WeChat was not asked for the refund yet, or nothing is to be asked."""
    with transaction() as session:
        _, refund = lock_refund_by_id(refund_id)
        if refund.state in ASKED_ABOUT:
            sub_mchid = session.get_one(MerchantChannel, refund.channel_id).sub_mchid
            return Question(refund.out_refund_no, sub_mchid, clock.now())
        if refund.state != "approved":
            refund.next_check_at = None
        return None


def _must_be_sent(refund_id: int, answer: Outcome, asked_at: datetime) -> bool:
    """Write down what WeChat said; whether it has never heard of the refund."""
    with transaction():
        payment, refund = lock_refund_by_id(refund_id)
        if refund.state not in ASKED_ABOUT:
            return False
        match answer:
            case Done(value=seen):
                _learn_or_wait(learn(payment, refund, seen, QUERY), refund)
                return False
            case Refused(code=code, signed=signed) if code in NO_SUCH_REFUND and refund.state == "stopping":
                _end(payment, refund, asked_at, signed=signed)
                return False
            case Refused(code=code) if code in NO_SUCH_REFUND:
                return _is_unheard_of(refund)
            case Refused() | Unknown():
                doubt(refund, answer)
                return False


def _learn_or_wait(learnt: str, refund: Refund) -> None:
    if learnt == "known":
        refund.checks += 1
        refund.next_check_at = next_check(refund.state, refund.checks, clock.now())


def _is_unheard_of(refund: Refund) -> bool:
    """The same number again can never pay twice, so an unsigned word suffices; once accepted it cannot be true."""
    if refund.state in {"processing", "abnormal"}:
        open_case("refund_vanished", refund_reference(refund), 2, refund_id=refund.id)
        _learn_or_wait("known", refund)
        return False
    if refund.state == "submitting":
        move(refund, "time_out", QUERY)
    return True


def _end(payment: Payment, refund: Refund, asked_at: datetime, *, signed: bool) -> None:
    """It is to be given up: over when WeChat signs that there was none, and no call could be accepted by then."""
    if signed and asked_at - refund.moved_at > HEARD_WITHIN:
        let_go(payment, refund, "close", QUERY)
    else:
        _learn_or_wait("known", refund)
