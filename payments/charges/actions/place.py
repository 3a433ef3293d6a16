"""Orders are written down before WeChat hears of them: one for each payee, several under one combined order."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from app.kernel import clock
from app.kernel.crypto import seal, unseal
from app.kernel.db import current
from app.kernel.ids import new_key
from app.kernel.refusals import Invalid
from payments.charges.actions.locks import Checkout
from payments.charges.actions.settle import payer_place
from payments.charges.models import Charge, CombinedOrder, Order, OrderLine
from payments.charges.rules import CALL_MAY_TAKE, MOST_SUB_ORDERS, ORDER, ORDER_LIFE, described
from payments.payees.models import MerchantChannel
from payments.payees.queries import channel_of
from payments.wechat import CombinedJsapiOrder, JsapiOrder, SubOrder


class TooManyAtOnce(Invalid):
    """WeChat combines no more than 50 payees in one payment."""

    code = "too_many_at_once"
    message = "一次最多合并支付50个收费主体的费用，请分次支付"


@dataclass(frozen=True)
class Payer:
    """Who pays, in which mini-program, and where WeChat reports it."""

    openid: str = field(repr=False)
    sp_appid: str
    notify_url: str


def place(charges: Sequence[Charge], payer: Payer) -> Checkout:
    """Write down orders for locked charges that no open order asks for: each payee's in one.

    Refuses `TooManyAtOnce`.
    """
    by_payee = sorted(charges, key=lambda each: each.payee_id)
    shares = [list(each) for _, each in groupby(by_payee, key=lambda charge: charge.payee_id)]
    if len(shares) > MOST_SUB_ORDERS:
        raise TooManyAtOnce
    now = clock.now()
    whole = _whole(now) if len(shares) > 1 else None
    orders = [_order(share, payer, whole, now) for share in shares]
    root = whole or orders[0]
    root.body = seal(_body(root, orders, shares, payer).decode(), _body_place(root))
    _write(whole, orders, f"charge:{charges[0].key}")
    for order, share in zip(orders, shares, strict=True):
        write_lines(order, share)
    asked = {(order.id, each.id) for order, share in zip(orders, shares, strict=True) for each in share}
    return Checkout(charges, orders, whole, frozenset(asked))


def body_of(root: Order | CombinedOrder) -> bytes:
    """The request as it was first sent."""
    assert root.body is not None
    return unseal(root.body, _body_place(root)).encode()


def _whole(now: datetime) -> CombinedOrder:
    key = new_key()
    return CombinedOrder(
        key=key, out_trade_no=key.hex, created_at=now, expires_at=now + ORDER_LIFE, next_check_at=now + CALL_MAY_TAKE
    )


def _order(share: Sequence[Charge], payer: Payer, whole: CombinedOrder | None, now: datetime) -> Order:
    key, channel = new_key(), channel_of(share[0].payee_id)
    order = Order(
        key=key, channel_id=channel.id, payee_id=channel.payee_id, amount_fen=sum(each.amount_fen for each in share),
        out_trade_no=key.hex, sp_appid=payer.sp_appid, state="preparing", created_at=now, expires_at=now + ORDER_LIFE,
        next_check_at=None if whole else now + CALL_MAY_TAKE,
    )  # fmt: skip
    order.payer = seal(payer.openid, payer_place(order))
    return order


def _write(whole: CombinedOrder | None, orders: Sequence[Order], cause: str) -> None:
    if whole is not None:
        current().add(whole)
        current().flush()
        cause = f"combined:{whole.out_trade_no}"
    for order in orders:
        order.combined_id = whole.id if whole else None
        current().add(order)
        ORDER.born(order, cause)


def write_lines(order: Order, share: Sequence[Charge]) -> None:
    """Say for which charges an order asks."""
    lines = [
        OrderLine(
            order_id=order.id, charge_id=each.id, payee_id=each.payee_id, amount_fen=each.amount_fen,
            order_state=order.state,
        )
        for each in share
    ]  # fmt: skip
    current().add_all(lines)
    current().flush()


def _body(
    root: Order | CombinedOrder, orders: Sequence[Order], shares: Sequence[Sequence[Charge]], payer: Payer
) -> bytes:
    asked = [
        SubOrder(
            out_trade_no=order.out_trade_no, amount_fen=order.amount_fen,
            sub_mchid=current().get_one(MerchantChannel, order.channel_id).sub_mchid,
            description=described([each.description for each in share]),
        )
        for order, share in zip(orders, shares, strict=True)
    ]  # fmt: skip
    if isinstance(root, CombinedOrder):
        return CombinedJsapiOrder(
            root.out_trade_no, tuple(asked), payer.openid, payer.notify_url, time_expire=root.expires_at
        ).body()
    [only] = asked
    return JsapiOrder(
        **vars(only), sp_openid=payer.openid, notify_url=payer.notify_url, time_expire=root.expires_at
    ).body()


def _body_place(root: Order | CombinedOrder) -> str:
    return f"{root.__tablename__}.body:{root.key}"
