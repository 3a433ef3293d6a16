"""Finding the orders about which WeChat should be asked now."""

from payments.charges.actions.check import check_order
from payments.charges.actions.rounds import one_round
from payments.charges.models import Order
from payments.wechat import WeChatPay


def sweep(pay: WeChatPay, limit: int = 50) -> int:
    """Check up to `limit` due orders in one round (`rounds.one_round`); returns how many."""
    return one_round(Order, lambda order_id: check_order(order_id, pay), limit)
