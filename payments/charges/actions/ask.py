"""Asking WeChat about a number that it named itself, in a bill."""

from app.kernel.db import transaction
from payments.charges.actions import numbers
from payments.charges.actions.locks import lock_checkout_by_number
from payments.charges.actions.numbers import Numbers
from payments.charges.actions.settle import settle
from payments.charges.rules import NO_SUCH_ORDER, PAID_AT_WECHAT
from payments.wechat import Done, Refused, WeChatPay


def ask_about(out_trade_no: str, pay: WeChatPay, cause: str) -> str:
    """Ask about an order whatever we think of it; a payment takes the one path that all payments take.

    Returns `paid`, `unpaid`, `absent` (WeChat has no such order), `silent`, or `not_ours`. Outside any transaction.
    """
    known = _numbers(out_trade_no)
    if known is None:
        return "not_ours"
    match known.query(pay)[out_trade_no]:
        case Done(value=seen) if seen.trade_state in PAID_AT_WECHAT:
            with transaction():
                settle(seen, cause)
            return "paid"
        case Done():
            return "unpaid"
        case Refused(code=code) if code in NO_SUCH_ORDER:
            return "absent"
        case _:
            return "silent"


def _numbers(out_trade_no: str) -> Numbers | None:
    with transaction():
        found = lock_checkout_by_number(out_trade_no)
        return None if found is None else numbers.of(found[0])
