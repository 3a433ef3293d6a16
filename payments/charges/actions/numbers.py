"""Under which numbers WeChat knows a checkout, kept for the time between transactions in which it is called."""

from dataclasses import dataclass

from app.kernel.db import current
from payments.charges.actions.locks import Checkout
from payments.payees.models import MerchantChannel
from payments.wechat import Done, Refused, SubOrderNumber, Transaction, Unknown, WeChatPay

Answer = Done[Transaction] | Refused | Unknown
LEFT_OUT = Unknown("the answer leaves this order out")


@dataclass(frozen=True)
class Numbers:
    """`combined` is the whole's own number; none: a single order."""

    combined: str | None
    orders: tuple[SubOrderNumber, ...]

    @property
    def is_combined(self) -> bool:
        return self.combined is not None

    def query(self, pay: WeChatPay) -> dict[str, Answer]:
        """What WeChat says of each order, by our number; what it passes over in silence is unknown."""
        if self.combined is None:
            [each] = self.orders
            return {each.out_trade_no: pay.query_order(each.out_trade_no, each.sub_mchid)}
        outcome = pay.query_combined(self.combined)
        if not isinstance(outcome, Done):
            return {each.out_trade_no: outcome for each in self.orders}
        seen: dict[str, Answer] = {each.out_trade_no: Done(each) for each in outcome.value}
        return {each.out_trade_no: seen.get(each.out_trade_no, LEFT_OUT) for each in self.orders}

    def close(self, pay: WeChatPay) -> Done[None] | Refused | Unknown:
        if self.combined is None:
            [each] = self.orders
            return pay.close_order(each.out_trade_no, each.sub_mchid)
        return pay.close_combined(self.combined, self.orders)


def of(checkout: Checkout) -> Numbers:
    """The numbers of a locked checkout."""
    known = [
        SubOrderNumber(order.out_trade_no, current().get_one(MerchantChannel, order.channel_id).sub_mchid)
        for order in checkout.orders
    ]
    return Numbers(checkout.whole.out_trade_no if checkout.whole else None, tuple(known))
