"""Asking WeChat is how we know: a payment whose notice never came, an answer that was lost, a race with closing."""

from app.kernel import clock
from app.kernel.db import transaction
from payments.charges.actions import calls
from payments.charges.actions.cases import open_case
from payments.charges.actions.locks import lock_order
from payments.charges.actions.settle import settle
from payments.charges.models import Charge, Order
from payments.charges.rules import (
    CALL_MAY_TAKE,
    CHARGE,
    NO_SUCH_ORDER,
    OPEN_ORDER,
    ORDER,
    PAID_AT_WECHAT,
    UNKNOWN_TOO_LONG,
    must_end,
    next_check,
)
from payments.payees.models import MerchantChannel
from payments.wechat import Done, Refused, Transaction, Unknown, WeChatPay

QUERY = "query"
Answer = Done[Transaction] | Refused | Unknown


def check_order(order_id: int, pay: WeChatPay) -> bool:
    """Ask WeChat about one order and learn from the answer; close it there when it must end.

    Outside any transaction. What cannot be learned now is asked again at `next_check_at`; returns whether WeChat
    gave an answer at all.
    """
    number = _number(order_id)
    if number is None:
        return True
    answer = pay.query_order(*number)
    if _learn(order_id, answer):
        end_order(order_id, pay)
    return not isinstance(answer, Unknown)


def end_order(order_id: int, pay: WeChatPay) -> None:
    """Close an order at WeChat. Any refusal may mean that it was just paid, so then the query decides."""
    number = _number(order_id)
    if number is None:
        return
    call_id = _stop(order_id)
    outcome = pay.close_order(*number)
    if not _ended(order_id, call_id, outcome):
        _learn(order_id, pay.query_order(*number))


def _number(order_id: int) -> tuple[str, str] | None:
    """The order's number and sub-merchant; none when there is nothing left to ask."""
    with transaction() as session:
        _, order = lock_order(order_id)
        if order.state not in OPEN_ORDER:
            order.next_check_at = None
            return None
        return order.out_trade_no, session.get_one(MerchantChannel, order.channel_id).sub_mchid


def _stop(order_id: int) -> int:
    with transaction():
        _, order = lock_order(order_id)
        if ORDER.may(order.state, "stop"):
            ORDER.move(order, "stop", "close")
        order.next_check_at = clock.now() + CALL_MAY_TAKE
        return calls.intend(order, "close", order.out_trade_no.encode())


def _ended(order_id: int, call_id: int, outcome: Done[None] | Refused | Unknown) -> bool:
    with transaction():
        charge, order = lock_order(order_id)
        calls.answer(call_id, outcome)
        if isinstance(outcome, Done) and order.state == "closing":
            _close(charge, order, "close")
        return isinstance(outcome, Done)


def _close(charge: Charge, order: Order, event: str) -> None:
    ORDER.move(order, event, QUERY)
    order.next_check_at = None
    if charge.state == "closing":
        CHARGE.move(charge, "close", f"order:{order.id}")


def _learn(order_id: int, answer: Answer) -> bool:
    """Write down what WeChat said; returns whether the order must now be closed there."""
    with transaction():
        charge, order = lock_order(order_id)
        if order.state not in OPEN_ORDER:
            return False
        order.checks += 1
        match answer:
            case Done(value=seen) if seen.trade_state in PAID_AT_WECHAT:
                return _learn_paid(order, seen)
            case Done(value=seen) if seen.trade_state == "CLOSED":
                return _learn_closed(charge, order)
            case Done():
                return _learn_unpaid(charge, order)
            case Refused(code=code) if code in NO_SUCH_ORDER:
                return _learn_absent(charge, order)
            case _:
                return _ask_again(order)


def _learn_paid(order: Order, seen: Transaction) -> bool:
    outcome = settle(seen, QUERY)
    if outcome not in {"paid", "paid_late", "paid_twice", "already_paid"}:
        order.next_check_at = None  # a person decides: the case says what is wrong
    return False


def _learn_closed(charge: Charge, order: Order) -> bool:
    _time_out(order)
    _close(charge, order, "close")
    return False


def _learn_unpaid(charge: Charge, order: Order) -> bool:
    _time_out(order)
    if order.state == "unknown":
        ORDER.move(order, "accept", QUERY)
    ending = must_end(order.state, order.expires_at, charge.state, clock.now())
    _ask_again(order)
    return ending


def _learn_absent(charge: Charge, order: Order) -> bool:
    """WeChat has never heard of it: over, unless the order was accepted once or is still on its way.

    The refusal may be unsigned, and a forged one does no harm: without a prepay_id nobody can pay the order.
    """
    if order.prepay_id is not None:
        open_case("order_vanished", order.out_trade_no, 2, order_id=order.id)
        return _ask_again(order)
    if clock.now() - order.created_at < CALL_MAY_TAKE:
        return _ask_again(order)
    _time_out(order)
    _close(charge, order, "vanish")
    return False


def _ask_again(order: Order) -> bool:
    now = clock.now()
    order.next_check_at = next_check(order.state, order.checks, order.expires_at, now)
    if order.state != "payable" and now - order.created_at > UNKNOWN_TOO_LONG:
        open_case("order_unknown_too_long", order.out_trade_no, 2, order_id=order.id)
    return False


def _time_out(order: Order) -> None:
    """Whoever was preparing it is gone or slow: from here on only the query counts."""
    if order.state == "preparing":
        ORDER.move(order, "time_out", QUERY)
