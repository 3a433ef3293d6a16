"""Several charges paid in one go: one order for one payee, a combined order (合单) for several."""

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.kernel.db import transaction
from payments.charges import queries
from payments.charges.actions import apply_notice, check_order, recognise, sweep, withdraw
from payments.charges.actions.prepare import PaymentRefused, PaymentUncertain
from payments.charges.actions.withdraw import AlreadyPaid
from payments.charges.models import ChannelCall, Charge, CombinedOrder, Order
from payments.charges.queries import NoSuchCharge, lines_of_order
from payments.charges.rules import ORDER_LIFE, described
from payments.payees.models import Payee
from payments.payees.queries import channel_of
from payments.refunds.actions import give_back_due
from payments.refunds.queries import refunds_of
from payments.shipping.actions import forget_payers
from tests.payments.servers import Door, in_parallel
from tests.payments.world import (
    ANOTHER,
    MOVED,
    Till,
    books,
    cases,
    content,
    jobs,
    notice,
    now_of,
    order_of,
    owed,
    payments,
    promised,
    state_of,
)

Owed = tuple[Charge, Charge, Charge]


@pytest.fixture
def enterprise(till: Till) -> Payee:
    return till.enterprise_payee()


@pytest.fixture
def debts(till: Till, payee: Payee, enterprise: Payee) -> Owed:
    """Two debts to the treasury and one to an enterprise, all of one motorist."""
    return owed(payee, 300, 7), owed(enterprise, 500, 7), owed(payee, 250, 7)


def whole_of(charge: Charge) -> CombinedOrder:
    with transaction() as session:
        return session.get_one(CombinedOrder, order_of(charge).combined_id)


def sweep_all(till: Till) -> None:
    while sweep(till.pay, 20):
        pass


def states(charges: Sequence[Charge]) -> list[str]:
    return [state_of(each) for each in charges]


def test_debts_to_one_payee_become_one_order_with_a_payment_for_each(till: Till, payee: Payee) -> None:
    charges = [owed(payee, fen, 7) for fen in (300, 250, 700)]
    till.pays(till.prepare_together(charges))
    [order] = {order_of(each).out_trade_no for each in charges}
    assert till.wechat.order(order)["total"] == 1250
    check_order(order_of(charges[0]).id, till.pay)
    assert states(charges) == ["paid"] * 3
    assert [[each.paid_fen for each in payments(charge)] for charge in charges] == [[300], [250], [700]]
    assert len({payments(each)[0].transaction_id for each in charges}) == 1
    assert books(payee) == {"wx_receivable": 1250, "customer_prepaid": -1250}
    assert [jobs(each) for each in charges] == [1, 1, 1]


def test_debts_to_two_payees_become_two_sub_orders_and_each_payee_gets_its_own(
    till: Till, door: Door, debts: Owed, payee: Payee, enterprise: Payee
) -> None:
    till.deliver(till.pays(till.prepare_together(debts)))
    assert states(debts) == ["paid"] * 3
    assert books(payee) == {"wx_receivable": 550, "customer_prepaid": -550}
    assert books(enterprise) == {"wx_receivable": 500, "customer_prepaid": -500}
    in_wechats_book = {
        each["sub_mchid"]: each["total"]
        for each in till.wechat.control("GET", "/book")["orders"]
        if each["combine_out_trade_no"] == whole_of(debts[0]).out_trade_no
    }
    assert in_wechats_book == {channel_of(payee.id).sub_mchid: 550, channel_of(enterprise.id).sub_mchid: 500}
    assert (whole_of(debts[0]).next_check_at, [jobs(each) for each in debts]) == (None, [1, 1, 1])


def test_the_notice_of_a_combined_order_counts_once_however_often_it_comes(
    till: Till, door: Door, debts: Owed, payee: Payee
) -> None:
    notice_id = till.pays(till.prepare_together(debts))
    assert till.deliver(notice_id, copies=4) == [200] * 4
    again = {"combine_out_trade_no": whole_of(debts[0]).out_trade_no, "copies": 2}
    assert till.wechat.control("POST", "/redeliver", again)["statuses"] == [200, 200]
    assert (books(payee)["wx_receivable"], [len(payments(each)) for each in debts]) == (550, [1, 1, 1])


def test_a_payment_whose_notice_never_came_is_found_by_the_sweeper(till: Till, debts: Owed) -> None:
    till.pays(till.prepare_together(debts))
    till.later(15)
    sweep_all(till)
    assert states(debts) == ["paid"] * 3


def test_asking_again_sends_the_same_bytes_and_brings_a_fresh_prepay_id(till: Till, debts: Owed) -> None:
    assert till.prepare_together(debts)["package"] != till.prepare_together(debts[::-1])["package"]
    with transaction() as session:
        calls = session.scalars(select(ChannelCall).filter_by(combined_id=whole_of(debts[0]).id)).all()
    assert [(each.purpose, each.state) for each in calls] == [("create", "done")] * 2
    assert len({each.request_hash for each in calls}) == 1
    assert [len(queries.orders_of(each.id)) for each in debts] == [1, 1, 1]


def test_two_phones_that_pay_the_same_stays_at_once_pay_once(till: Till, debts: Owed, payee: Payee) -> None:
    packages = in_parallel(till.app, 4, lambda: till.prepare_together(debts))
    assert [len(queries.orders_of(each.id)) for each in debts] == [1, 1, 1]
    paid = [till.wechat.ask("POST", "/pay", {"parameters": each})[0] for each in packages]
    assert sorted(paid) == [200, 409, 409, 409]
    check_order(order_of(debts[0]).id, till.pay)
    assert (states(debts), books(payee)["wx_receivable"]) == (["paid"] * 3, 550)


def test_phones_that_pay_different_sets_at_once_never_leave_two_open_orders_for_a_charge(
    till: Till, debts: Owed
) -> None:
    sets = iter([debts[:2], debts[1:], debts, debts[:1]])
    lock = threading.Lock()

    def tap() -> bool:
        with lock:
            mine = next(sets)
        try:
            return bool(till.prepare_together(mine))
        except PaymentUncertain:
            return False

    assert any(in_parallel(till.app, 4, tap))
    for charge in debts:
        lying = [till.wechat.order(each.out_trade_no) for each in queries.orders_of(charge.id)]
        assert sum(each["trade_state"] == "NOTPAY" for each in lying) <= 1


def test_a_stay_paid_singly_while_it_lies_in_a_combined_order_ends_the_combined_order_first(
    till: Till, debts: Owed
) -> None:
    together = till.prepare_together(debts)
    till.pays(till.prepare(debts[1]))
    assert till.wechat.ask("POST", "/pay", {"parameters": together})[0] == 409
    check_order(order_of(debts[1]).id, till.pay)
    assert states(debts) == ["created", "paid", "created"]
    with pytest.raises(AlreadyPaid):
        till.prepare_together(debts)
    till.pays(till.prepare_together([debts[0], debts[2]]))
    check_order(order_of(debts[0]).id, till.pay)
    assert states(debts) == ["paid"] * 3


def test_paying_everything_in_the_moment_of_closing_settles_instead_of_paying_twice(till: Till, debts: Owed) -> None:
    till.prepare_together(debts)
    till.fail("paid_at_close", "close_combined")
    with pytest.raises(AlreadyPaid):
        till.prepare(debts[1])
    assert (states(debts), [len(payments(each)) for each in debts]) == (["paid"] * 3, [1, 1, 1])


@pytest.mark.parametrize("close_rest", [True, False], ids=["closes the rest", "refuses to close"])
def test_when_one_sub_order_is_paid_and_another_is_not_the_rest_can_be_paid_anew(
    till: Till, debts: Owed, payee: Payee, enterprise: Payee, *, close_rest: bool
) -> None:
    till.wechat.control("POST", "/switches", {"close_rest": close_rest})
    till.pays(till.prepare_together(debts), order_of(debts[1]))
    check_order(order_of(debts[0]).id, till.pay)
    assert states(debts) == ["created", "paid", "created"]
    if not close_rest:
        assert order_of(debts[0]).state == "closing", "WeChat might still take it: unknown is not failed"
        with pytest.raises(PaymentUncertain):
            till.prepare(debts[0])
        till.later(ORDER_LIFE.total_seconds() + 180)
        sweep_all(till)
    assert order_of(debts[0]).state == "closed"
    till.pays(till.prepare_together([debts[0], debts[2]]))
    check_order(order_of(debts[0]).id, till.pay)
    assert (books(payee)["wx_receivable"], books(enterprise)["wx_receivable"]) == (550, 500)


def test_a_notice_of_a_part_settles_the_part_and_asks_about_the_rest_at_once(
    till: Till, door: Door, debts: Owed
) -> None:
    till.deliver(till.pays(till.prepare_together(debts), order_of(debts[0])))
    assert states(debts) == ["paid", "created", "paid"]
    sweep_all(till)
    assert order_of(debts[1]).state == "closing"


@pytest.mark.parametrize("fault", ["reset_after", "error_500_after", "wrong_signature", "unsigned"])
def test_a_lost_answer_is_unknown_and_found_again_by_asking(till: Till, debts: Owed, fault: str) -> None:
    till.fail(fault, "combine", times=2)
    with pytest.raises(PaymentUncertain):
        till.prepare_together(debts)
    assert {order_of(each).state for each in debts} == {"unknown"}
    till.wechat.control("DELETE", "/faults")
    check_order(order_of(debts[2]).id, till.pay)
    assert {order_of(each).state for each in debts} == {"payable"}
    assert whole_of(debts[0]).next_check_at is not None


def test_a_combined_order_that_never_arrived_is_given_up(till: Till, debts: Owed) -> None:
    till.fail("error_500", "combine", times=2)
    with pytest.raises(PaymentUncertain):
        till.prepare_together(debts)
    till.wechat.control("DELETE", "/faults")
    till.later(120)
    sweep_all(till)
    assert {order_of(each).state for each in debts} == {"closed"}
    till.prepare_together(debts)


def test_a_definite_refusal_is_no_open_order(till: Till, debts: Owed, enterprise: Payee) -> None:
    switches = {"sign_errors": True, "blocked_sub_merchants": [channel_of(enterprise.id).sub_mchid]}
    till.wechat.control("POST", "/switches", switches)
    with pytest.raises(PaymentRefused):
        till.prepare_together(debts)
    assert {order_of(each).state for each in debts} == {"refused"}
    till.wechat.control("POST", "/switches", {"blocked_sub_merchants": []})
    till.prepare_together(debts)


def test_wechats_limit_of_calls_is_no_word_on_the_order(till: Till, debts: Owed) -> None:
    till.later(61)
    till.wechat.control("POST", "/switches", {"most_a_minute": {"combine": 1}})
    till.prepare_together(debts)
    with pytest.raises(PaymentUncertain):
        till.prepare_together(debts)
    assert {order_of(each).state for each in debts} == {"payable"}
    till.later(61)
    till.prepare_together(debts)


def test_an_expired_combined_order_is_closed_at_wechat_and_the_debts_stay(till: Till, debts: Owed) -> None:
    till.prepare_together(debts)
    till.later(ORDER_LIFE.total_seconds() + 1)
    sweep_all(till)
    assert {till.wechat.order(order_of(each).out_trade_no)["trade_state"] for each in debts} == {"CLOSED"}
    assert (states(debts), {order_of(each).state for each in debts}) == (["created"] * 3, {"closed"})


def test_another_payer_gets_an_order_of_their_own_after_the_first_is_closed(till: Till, debts: Owed) -> None:
    till.prepare_together(debts)
    first = order_of(debts[0])
    till.prepare_together(debts, ANOTHER)
    assert till.wechat.order(first.out_trade_no)["trade_state"] == "CLOSED"
    assert till.wechat.order(order_of(debts[0]).out_trade_no)["openid"] == ANOTHER


def test_a_charge_that_is_withdrawn_ends_the_whole_and_the_others_stay_owed(till: Till, debts: Owed) -> None:
    till.prepare_together(debts)
    withdraw(debts[1].key, "test")
    sweep_all(till)
    assert states(debts) == ["created", "closed", "created"]
    till.prepare_together([debts[0], debts[2]])


def test_what_was_paid_before_goes_back_when_a_closed_combined_order_is_paid_late(
    till: Till, door: Door, debts: Owed, payee: Payee, enterprise: Payee
) -> None:
    together = till.prepare_together(debts)
    till.pays(till.prepare(debts[0]))
    check_order(order_of(debts[0]).id, till.pay)
    till.deliver(till.pays(together, force=True))
    assert states(debts) == ["paid"] * 3
    assert books(payee) == {"wx_receivable": 850, "customer_prepaid": -550, "suspense_long": -300}
    assert give_back_due(on_moved=MOVED) == 1
    [returned] = refunds_of(debts[0].id)
    till.bring(returned)
    till.later(70)
    till.bring(returned)
    assert (now_of(returned).state, returned.amount_fen) == ("success", 300)
    assert books(payee) == {"wx_receivable": 550, "customer_prepaid": -550}
    assert books(enterprise) == {"wx_receivable": 500, "customer_prepaid": -500}


def test_one_of_several_charges_paid_with_one_order_is_refunded_alone(till: Till, payee: Payee) -> None:
    charges = [owed(payee, fen, 7) for fen in (300, 250)]
    till.pays(till.prepare_together(charges))
    check_order(order_of(charges[0]).id, till.pay)
    back = promised(payments(charges[1])[0], 250)
    till.bring(back)
    till.later(70)
    till.bring(back)
    in_wechats_book = till.refund_in_wechats_book(back)
    assert in_wechats_book is not None
    assert (now_of(back).state, in_wechats_book["refund"], in_wechats_book["total"]) == ("success", 250, 550)
    assert [payments(each)[0].refund_reserved_fen for each in charges] == [0, 250]


Twist = Callable[[dict[str, object]], object]


@pytest.mark.parametrize(
    "twist",
    [
        lambda part: part.update(amount={"total_amount": 1, "currency": "CNY"}),
        lambda part: part.update(sub_mchid="1899999999"),
        lambda part: part.pop("transaction_id"),
    ],
    ids=["amount", "merchant", "number"],
)
def test_an_authentic_notice_with_one_wrong_sub_order_moves_no_money_of_that_one(
    till: Till, debts: Owed, payee: Payee, enterprise: Payee, twist: Twist
) -> None:
    till.prepare_together(debts)
    whole, parts = whole_of(debts[0]), [(order_of(debts[0]), payee), (order_of(debts[1]), enterprise)]
    subs = [as_part(content(till, order, receiver)) for order, receiver in parts]
    twist(subs[1])
    told = {
        "combine_appid": till.settings.wechat.app_id,
        "combine_mchid": till.sp_mchid,
        "combine_out_trade_no": whole.out_trade_no,
        "combine_payer_info": content(till, *parts[0])["payer"] | {"openid": "o-payer-of-these-tests-000001"},
        "sub_orders": subs,
    }
    apply_notice(notice(told))
    assert states(debts) == ["paid", "created", "paid"]
    assert (books(enterprise), [each.kind for each in cases(order_of(debts[1]).out_trade_no)]) == (
        {},
        ["payment_mismatch"],
    )


def as_part(said: dict[str, object]) -> dict[str, object]:
    """A payment in the words of a combined order's part."""
    amount = said["amount"]
    assert isinstance(amount, dict)
    return {
        **{name: said[name] for name in ("sub_mchid", "out_trade_no", "transaction_id", "trade_state", "success_time")},
        "mchid": said["sp_mchid"],
        "amount": {"total_amount": amount["total"], "payer_amount": amount["total"], "currency": "CNY"},
    }


def test_a_charge_that_is_not_there_stops_the_whole(till: Till, debts: Owed) -> None:
    class Gone:
        key = debts[0].source_key

    with pytest.raises(NoSuchCharge):
        till.prepare_together([debts[0], Gone])  # type: ignore[list-item]
    assert queries.orders_of(debts[0].id) == []


@pytest.fixture
def receivers(till: Till) -> list[Payee]:
    return [till.treasury_payee(), till.enterprise_payee(), till.treasury_payee()]


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(owing=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 90_000)), min_size=2, max_size=6))
def test_sub_orders_sum_to_the_charges_and_each_is_its_charges_payees(
    till: Till, receivers: list[Payee], owing: list[tuple[int, int]]
) -> None:
    charges = [owed(receivers[who], fen, 7) for who, fen in owing]
    till.prepare_together(charges)
    with transaction() as session:
        ids = {order_of(each).id for each in charges}
        orders = session.scalars(select(Order).where(Order.id.in_(ids))).all()
    assert sum(each.amount_fen for each in orders) == sum(each.amount_fen for each in charges)
    assert sorted(each.payee_id for each in orders) == sorted({each.payee_id for each in charges})
    for order in orders:
        lying = till.wechat.order(order.out_trade_no)
        asked = {line.charge_id for line in lines_of_order(order.id)}
        assert {each.payee_id for each in charges if each.id in asked} == {order.payee_id}
        assert lying["total"] == order.amount_fen == sum(each.amount_fen for each in charges if each.id in asked)
        assert lying["sub_mchid"] == channel_of(order.payee_id).sub_mchid


@given(st.lists(st.text("停车费 西湖", min_size=1, max_size=127), min_size=1, max_size=60))
def test_what_wechat_shows_of_several_charges_fits(descriptions: list[str]) -> None:
    assert 1 <= len(described(descriptions)) <= 127


def test_who_paid_together_is_forgotten_with_each_of_the_orders(till: Till, debts: Owed) -> None:
    till.pays(till.prepare_together(debts))
    check_order(order_of(debts[0]).id, till.pay)
    for each in debts:
        recognise(each.key)
    before = datetime.now(UTC) + timedelta(days=1)
    till.later(timedelta(days=401).total_seconds())
    with transaction() as session:
        assert forget_payers(before, 100) > 0
        orders = session.scalars(select(Order)).all()
        wholes = session.scalars(select(CombinedOrder)).all()
        assert {(each.payer, each.body) for each in orders} == {(None, None)}
        assert [each.body for each in wholes] == [None]
    assert {state_of(each) for each in debts} == {"fulfilled"}
