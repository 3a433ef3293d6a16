"""A payment that was made under a number not ours is given an order of its own, so that it takes the one path."""

from app.kernel import clock
from app.kernel.crypto import seal
from app.kernel.db import current
from app.kernel.ids import new_key
from app.kernel.refusals import Conflict
from payments.charges.actions.locks import lock_open_order
from payments.charges.actions.place import write_lines
from payments.charges.actions.settle import payer_place, settle
from payments.charges.models import Charge, Order
from payments.charges.rules import ORDER
from payments.payees.models import MerchantChannel
from payments.wechat import Transaction

NOTHING_WAS_SENT = b""


class BeingPaid(Conflict):
    """An order for the charge lies open at WeChat: it ends within a quarter of an hour."""

    code = "charge_being_paid"
    message = "该笔费用正在支付中，请稍后再试"


def adopt(charge: Charge, paid: Transaction, channel: MerchantChannel, cause: str) -> str:
    """Let a payment of which WeChat just told pay a locked charge, whole; returns what `settle` says came of it.

    Joins the running transaction, which must be undone for any other word than `paid` or `paid_late`. Refuses
    `BeingPaid`.
    """
    if lock_open_order(charge) is not None:
        raise BeingPaid
    now = clock.now()
    order = Order(
        key=new_key(), channel_id=channel.id, payee_id=channel.payee_id, amount_fen=charge.amount_fen,
        out_trade_no=paid.out_trade_no, sp_appid=paid.sp_appid, body=NOTHING_WAS_SENT, state="preparing",
        created_at=now, expires_at=now,
    )  # fmt: skip
    order.payer = seal(paid.sp_openid or "", payer_place(order))
    current().add(order)
    ORDER.born(order, cause)
    write_lines(order, [charge])
    return settle(paid, cause)
