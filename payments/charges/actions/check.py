"""Asking WeChat is how we know: a payment whose notice never came, an answer that was lost, a race with closing."""

from dataclasses import dataclass

from app.kernel import clock
from app.kernel.db import transaction
from payments.charges.actions import calls, numbers
from payments.charges.actions.cases import open_case
from payments.charges.actions.locks import Checkout, lock_checkout, lock_combined
from payments.charges.actions.numbers import Answer, Numbers
from payments.charges.actions.settle import settle
from payments.charges.models import Order
from payments.charges.rules import (
    CALL_MAY_TAKE,
    CHARGE,
    NO_SUCH_ORDER,
    OPEN_ORDER,
    ORDER,
    PAID_AT_WECHAT,
    cannot_be_paid_any_more,
    is_unknown_too_long,
    must_end,
    next_check,
)
from payments.wechat import Done, Refused, Transaction, Unknown, WeChatPay

QUERY = "query"


@dataclass(frozen=True)
class Verdict:
    """What WeChat's word on one order comes to: it can be paid still, or a person must look at it, or neither."""

    unpaid: bool = False
    puzzles: bool = False


def check_order(order_id: int, pay: WeChatPay) -> bool:
    """Ask WeChat about an order, with all sub-orders of its whole, and learn; close them there when they must end.

    Outside any transaction. What cannot be learned now is asked again at `next_check_at`; returns whether WeChat
    gave an answer at all.
    """
    known = _numbers(order_id)
    if known is None:
        return True
    answers = known.query(pay)
    if _learn(order_id, answers):
        end_order(order_id, pay)
    return not all(isinstance(each, Unknown) for each in answers.values())


def check_combined(combined_id: int, pay: WeChatPay) -> bool:
    """The same of a combined order."""
    with transaction():
        order_id = lock_combined(combined_id).orders[0].id
    return check_order(order_id, pay)


def end_order(order_id: int, pay: WeChatPay) -> None:
    """Close an order at WeChat, a sub-order with its whole. Any refusal may mean that it was just paid: then we ask."""
    known = _numbers(order_id)
    if known is None:
        return
    call_id = _stop(order_id)
    outcome = known.close(pay)
    if not _ended(order_id, call_id, outcome) or known.is_combined:
        # One word closes all sub-orders, yet not one that was paid: each is asked about.
        _learn(order_id, known.query(pay))


def _numbers(order_id: int) -> Numbers | None:
    """How WeChat knows the checkout; none when there is nothing left to ask."""
    with transaction():
        checkout = lock_checkout(order_id)
        if not checkout.still_open:
            checkout.root.next_check_at = None
            return None
        return numbers.of(checkout)


def _stop(order_id: int) -> int:
    with transaction():
        checkout = lock_checkout(order_id)
        for order in checkout.orders:
            if ORDER.may(order.state, "stop"):
                ORDER.move(order, "stop", "close")
        checkout.root.next_check_at = clock.now() + CALL_MAY_TAKE
        return calls.intend(checkout.root, "close", checkout.root.out_trade_no.encode())


def _ended(order_id: int, call_id: int, outcome: Done[None] | Refused | Unknown) -> bool:
    with transaction():
        checkout = lock_checkout(order_id)
        calls.answer(call_id, outcome)
        if isinstance(outcome, Done) and checkout.whole is None:
            for order in checkout.orders:
                if order.state == "closing":
                    _close(checkout, order, "close")
            checkout.root.next_check_at = None
        return isinstance(outcome, Done)


def _close(checkout: Checkout, order: Order, event: str) -> None:
    ORDER.move(order, event, QUERY)
    for charge in checkout.charges_of(order):
        if charge.state == "closing":
            CHARGE.move(charge, "close", f"order:{order.id}")


def _learn(order_id: int, answers: dict[str, Answer]) -> bool:
    """Write down what WeChat said of each order; returns whether they must now be closed there."""
    with transaction():
        checkout = lock_checkout(order_id)
        told = {order.id: _follow(checkout, order, answers[order.out_trade_no]) for order in checkout.still_open}
        _plan(checkout, told)
        unpaid = [each for each in checkout.still_open if told[each.id].unpaid]
        return any(_must_end(checkout, each) for each in unpaid)


def _follow(checkout: Checkout, order: Order, answer: Answer) -> Verdict:
    if order.state not in OPEN_ORDER:
        return Verdict()
    order.checks += 1
    match answer:
        case Done(value=seen) if seen.trade_state in PAID_AT_WECHAT:
            return _learn_paid(seen)
        case Done(value=seen) if seen.trade_state == "CLOSED":
            _time_out(order)
            _close(checkout, order, "close")
        case Done():
            return _learn_unpaid(checkout, order)
        case Refused(code=code) if code in NO_SUCH_ORDER:
            _learn_absent(checkout, order)
    return Verdict()


def _plan(checkout: Checkout, told: dict[int, Verdict]) -> None:
    """When WeChat is asked next: while an order is open about which it may still tell us something."""
    now = clock.now()
    waiting = [each for each in checkout.still_open if not told[each.id].puzzles]
    moments = [next_check(each.state, each.checks, each.created_at, each.expires_at, now) for each in waiting]
    checkout.root.next_check_at = min(moments, default=None)
    for order in waiting:
        if is_unknown_too_long(order.state, order.created_at, order.expires_at, now):
            open_case("order_unknown_too_long", order.out_trade_no, 2, order_id=order.id)


def _learn_paid(seen: Transaction) -> Verdict:
    """What is not ours as we know it is for a person: the case says what is wrong."""
    return Verdict(puzzles=settle(seen, QUERY) not in {"paid", "paid_late", "paid_twice", "already_paid"})


def _learn_unpaid(checkout: Checkout, order: Order) -> Verdict:
    _time_out(order)
    if order.state == "unknown":
        ORDER.move(order, "accept", QUERY)
    now = clock.now()
    if checkout.whole is not None and order.state == "closing" and cannot_be_paid_any_more(order.expires_at, now):
        # WeChat may refuse to close what is left of a whole of which a part was paid; its time is over all the same.
        _close(checkout, order, "close")
        return Verdict()
    return Verdict(unpaid=True)


def _must_end(checkout: Checkout, order: Order) -> bool:
    states = [each.state for each in checkout.charges_of(order)]
    partly_over = len(checkout.still_open) < len(checkout.orders)
    return partly_over or must_end(order.state, order.expires_at, states, clock.now())


def _learn_absent(checkout: Checkout, order: Order) -> None:
    """WeChat has never heard of it: over, unless the order was accepted once or is still on its way.

    The refusal may be unsigned, and a forged one does no harm: without a prepay_id nobody can pay the order.
    """
    if order.prepay_id is not None:
        open_case("order_vanished", order.out_trade_no, 2, order_id=order.id)
    elif clock.now() - order.created_at >= CALL_MAY_TAKE:
        _time_out(order)
        _close(checkout, order, "vanish")


def _time_out(order: Order) -> None:
    """Whoever was preparing it is gone or slow: from here on only the query counts."""
    if order.state == "preparing":
        ORDER.move(order, "time_out", QUERY)
