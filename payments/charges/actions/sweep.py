"""Finding the orders about which WeChat should be asked now."""

from app.kernel.rounds import each_step
from payments.charges.actions.check import check_combined, check_order
from payments.charges.actions.rounds import one_round
from payments.charges.models import CombinedOrder, Order
from payments.wechat import WeChatPay


def sweep(pay: WeChatPay, limit: int = 50) -> int:
    """Check up to `limit` due orders, and as many combined ones, in rounds (`rounds.one_round`); returns how many."""
    return each_step(
        lambda: one_round(Order, lambda order_id: check_order(order_id, pay), limit),
        lambda: one_round(CombinedOrder, lambda combined_id: check_combined(combined_id, pay), limit),
    )
