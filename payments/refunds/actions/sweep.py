"""Finding the refunds that should be sent, or about which WeChat should be asked now."""

from payments.charges.actions.rounds import one_round
from payments.refunds.actions.check import check_refund
from payments.refunds.models import Refund
from payments.wechat import WeChatPay


def sweep(pay: WeChatPay, notify_url: str, limit: int = 50) -> int:
    """Bring up to `limit` due refunds forward in one round (`rounds.one_round`); returns how many."""
    return one_round(Refund, lambda refund_id: check_refund(refund_id, pay, notify_url), limit)
