"""What WeChat could not give back goes to another card of whoever paid: the same refund, under the same number."""

import uuid
from dataclasses import dataclass
from typing import Final

from app.kernel import audit, clock
from app.kernel.db import transaction
from app.kernel.faults import fault_point
from app.kernel.refusals import Conflict, Invalid, NotAllowed
from app.kernel.states import WrongState
from payments.charges.actions import calls
from payments.payees.models import MerchantChannel
from payments.refunds.actions.learn import learn
from payments.refunds.actions.locks import lock_refund, lock_refund_by_id
from payments.refunds.models import Refund
from payments.refunds.rules import CALL_MAY_TAKE, REFUND, next_check
from payments.wechat import BankCard, Done, RefundSeen, Refused, Unknown, WeChatPay

CARD: Final = "card"


class OwnRefundToCard(NotAllowed):
    """Whoever asked for a refund does not choose where it goes."""

    code = "own_refund_to_card"
    message = "申请人不得办理本人提出的异常退款"


class CardReasonMissing(Invalid):
    """Why it is this card is said, without personal data."""

    code = "card_reason_missing"
    message = "请填写办理说明"


class CardRefused(Conflict):
    """WeChat does not pay to this card; `details` has its code. Nothing has changed."""

    code = "card_refused"
    message = "微信支付未受理异常退款，请核对银行卡信息"


def pay_to_card(refund_key: uuid.UUID, card: BankCard, pay: WeChatPay, by: str, because: str) -> Refund:
    """Have WeChat pay an abnormal refund to a bank card (异常退款). Outside any transaction.

    The card goes to WeChat and rests nowhere. The refund stays `abnormal` until WeChat says that the money came, which
    the sweeper asks for; without an answer that question decides, too. Refuses `NoSuchRefund`, `OwnRefundToCard`,
    `CardReasonMissing`, `CardRefused`, and `WrongState` unless it is abnormal.
    """
    if not because.strip():
        raise CardReasonMissing
    attempt = _intend(refund_key, card, by, because.strip())
    fault_point("card.intended")
    outcome = pay.pay_to_card(
        card, attempt.wechats_id, attempt.out_refund_no, attempt.sub_mchid, intended_at=attempt.call.at
    )
    fault_point("card.answered")
    return _save(attempt, outcome)


@dataclass(frozen=True)
class Attempt:
    """One request, written down and committed before it leaves; of the card no more than the bank."""

    refund_id: int
    call: calls.Intended
    wechats_id: str
    out_refund_no: str
    sub_mchid: str


def _intend(refund_key: uuid.UUID, card: BankCard, by: str, because: str) -> Attempt:
    with transaction() as session:
        _, refund = lock_refund(refund_key)
        if refund.asked_by == by:
            raise OwnRefundToCard
        if refund.state != "abnormal" or refund.refund_id is None:
            raise WrongState(machine=REFUND.name, state=refund.state, event=CARD)
        refund.next_check_at = clock.now() + CALL_MAY_TAKE
        audit.record("refund.pay_to_card", "refund", refund.id, by, {"bank": card.bank_type, "because": because})
        call = calls.intend_refund(refund.id, f"{refund.refund_id} {card.bank_type}".encode())
        sub_mchid = session.get_one(MerchantChannel, refund.channel_id).sub_mchid
        return Attempt(refund.id, call, refund.refund_id, refund.out_refund_no, sub_mchid)


def _save(attempt: Attempt, outcome: Done[RefundSeen] | Refused | Unknown) -> Refund:
    with transaction():
        payment, refund = lock_refund_by_id(attempt.refund_id)
        calls.answer(attempt.call.call_id, outcome)
        if isinstance(outcome, Done) and learn(payment, refund, outcome.value, CARD) == "known":
            refund.checks, refund.next_check_at = 0, next_check("processing", 0, clock.now())
    if isinstance(outcome, Refused):
        raise CardRefused(code=outcome.code)
    return refund
