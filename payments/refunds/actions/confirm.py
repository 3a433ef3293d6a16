"""Asking WeChat about a refund of which a bill says something else than we."""

from app.kernel.db import transaction
from payments.payees.models import MerchantChannel
from payments.refunds.actions.learn import learn
from payments.refunds.actions.locks import lock_refund_by_id
from payments.refunds.rules import EVENT_OF, STATE_AFTER
from payments.wechat import Done, Unknown, WeChatPay


def confirm_refund(refund_id: int, pay: WeChatPay, cause: str) -> str:
    """Learn what WeChat says now of a refund in any state.

    Returns `confirmed` when we say the same then, `contradicted` when not, `silent`, or `absent`. Outside any
    transaction.
    """
    with transaction() as session:
        _, refund = lock_refund_by_id(refund_id)
        number = (refund.out_refund_no, session.get_one(MerchantChannel, refund.channel_id).sub_mchid)
    answer = pay.query_refund(*number)
    if not isinstance(answer, Done):
        return "silent" if isinstance(answer, Unknown) else "absent"
    with transaction():
        payment, refund = lock_refund_by_id(refund_id)
        learn(payment, refund, answer.value, cause)
        theirs = STATE_AFTER.get(EVENT_OF.get(answer.value.status, ""), "")
        return "confirmed" if refund.state == theirs else "contradicted"
