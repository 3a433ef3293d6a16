"""What nobody owes goes back whole, without anybody asking."""

from datetime import UTC, datetime

from payments.charges.actions import check_order, withdraw
from payments.charges.models import Charge, Order
from payments.payees.models import Payee
from payments.refunds.actions import give_back_due
from payments.refunds.queries import refunds_of
from tests.payments.servers import Door, in_parallel
from tests.payments.world import (
    MOVED,
    Till,
    books,
    cases,
    now_of,
    order_of,
    state_of,
)

PAID = {"wx_receivable": 1250, "customer_prepaid": -1250}
NOON = datetime(2026, 5, 1, 4, tzinfo=UTC)


def test_a_second_payment_goes_back_whole_without_anybody_asking(till: Till, payee: Payee) -> None:
    charge, first = till.ordered(payee)
    till.later(14 * 60)
    till.prepare(charge)
    second = order_of(charge)
    for order in (first, second):
        force(till, order)
    assert (give_back_due(on_moved=MOVED), give_back_due(on_moved=MOVED)) == (1, 0)
    [made] = refunds_of(charge.id)
    assert (made.surplus, made.reason, made.amount_fen) == (True, "paid_twice", 1250)
    till.bring(made)
    till.later(6)
    till.bring(made)
    assert (books(payee), state_of(charge)) == (PAID, "paid")


def force(till: Till, order: Order) -> None:
    """The motorist pays, closed or not, and WeChat's notice comes."""
    told = till.wechat.control("POST", "/pay", {"out_trade_no": order.out_trade_no, "force": True})
    with Door(till.app, till.settings):
        assert till.deliver(str(told["notice_id"])) == [200]


def late(till: Till, payee: Payee) -> Charge:
    """A charge that was withdrawn, closed at WeChat, and paid all the same."""
    charge, order = till.ordered(payee)
    withdraw(charge.key, "test")
    check_order(order.id, till.pay)
    force(till, order)
    assert state_of(charge) == "paid_late"
    return charge


def test_late_money_goes_back_whole_and_once_however_many_look(till: Till, payee: Payee) -> None:
    charge = late(till, payee)
    in_parallel(till.app, 3, lambda: give_back_due(on_moved=MOVED))
    [made] = refunds_of(charge.id)
    assert (made.amount_fen, made.reason, made.asked_by, state_of(charge)) == (
        1250,
        "paid_late",
        "platform",
        "refund_full",
    )
    till.bring(made)
    till.later(6)
    till.bring(made)
    assert (books(payee), give_back_due(on_moved=MOVED)) == ({}, 0)


def test_late_money_whose_refund_wechat_closed_goes_back_under_a_new_number(till: Till, payee: Payee) -> None:
    charge = late(till, payee)
    till.wechat.control("POST", "/switches", {"refund_outcome": "CLOSED", "refund_seconds": 0})
    give_back_due(on_moved=MOVED)
    [first] = refunds_of(charge.id)
    till.bring(first)
    assert (now_of(first).state, books(payee)) == ("closed", PAID)
    assert [each.kind for each in cases(first.out_refund_no)] == ["refund_closed"]
    assert give_back_due(on_moved=MOVED) == 1
    second = refunds_of(charge.id)[-1]
    assert second.out_refund_no != first.out_refund_no
