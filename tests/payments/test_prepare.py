import uuid
from importlib import import_module

import psycopg
import pytest

from payments.charges import queries
from payments.charges.actions import check_order, withdraw
from payments.charges.actions.prepare import ChargeClosed, PaymentUncertain
from payments.charges.actions.withdraw import AlreadyPaid
from payments.charges.models import Charge
from payments.charges.queries import NoSuchCharge
from payments.payees.queries import channel_of
from tests.payments.servers import in_parallel
from tests.payments.world import ANOTHER, OPENID, Till, books, order_of, owed, payments, state_of
from tests.races import asleep


def test_the_motorist_gets_parameters_with_which_wechats_cashier_opens(till: Till) -> None:
    charge = owed(till.treasury_payee())
    parameters = till.prepare(charge)
    answer = till.wechat.control("POST", "/pay", {"parameters": parameters, "openid": OPENID})
    assert answer["out_trade_no"] == order_of(charge).out_trade_no


def test_the_order_goes_to_the_payees_own_sub_merchant_and_asks_for_the_charge(till: Till) -> None:
    payee = till.enterprise_payee()
    _, order = till.ordered(payee, 777)
    seen = till.wechat.order(order.out_trade_no)
    assert (seen["sub_mchid"], seen["total"], seen["trade_state"]) == (channel_of(payee.id).sub_mchid, 777, "NOTPAY")


def test_asking_again_sends_the_identical_order_and_brings_a_fresh_prepay_id(till: Till) -> None:
    charge, order = till.ordered(till.treasury_payee())
    till.prepare(charge)
    assert len(queries.orders_of(charge.id)) == 1
    assert len(till.wechat.order(order.out_trade_no)["prepay_ids"]) == 2


def test_eight_taps_at_once_open_one_order(till: Till) -> None:
    charge = owed(till.treasury_payee())
    packages = {each["package"] for each in in_parallel(till.app, 8, lambda: till.prepare(charge))}
    [order] = queries.orders_of(charge.id)
    assert {f"prepay_id={each}" for each in till.wechat.order(order.out_trade_no)["prepay_ids"]} == packages


@pytest.mark.parametrize("fault", ["reset_after", "error_500_after", "wrong_signature", "unsigned"])
def test_a_lost_answer_is_unknown_and_the_same_order_is_sent_again(till: Till, fault: str) -> None:
    charge = owed(till.treasury_payee())
    till.fail(fault, "create", times=2)
    with pytest.raises(PaymentUncertain):
        till.prepare(charge)
    assert order_of(charge).state == "unknown"
    till.wechat.control("DELETE", "/faults")
    till.prepare(charge)
    [order] = queries.orders_of(charge.id)
    assert order.state == "payable"


def test_a_lost_answer_is_found_again_by_asking(till: Till) -> None:
    charge = owed(till.treasury_payee())
    till.fail("error_500_after", "create", times=2)
    with pytest.raises(PaymentUncertain):
        till.prepare(charge)
    till.wechat.control("DELETE", "/faults")
    check_order(order_of(charge).id, till.pay)
    assert order_of(charge).state == "payable"


def test_an_order_that_never_arrived_is_given_up_and_a_new_number_taken(till: Till) -> None:
    charge = owed(till.treasury_payee())
    till.fail("error_500", "create", times=2)
    with pytest.raises(PaymentUncertain):
        till.prepare(charge)
    till.wechat.control("DELETE", "/faults")
    first = order_of(charge)
    check_order(first.id, till.pay)
    assert order_of(charge).state == "unknown", "it may still be on its way"
    till.later(120)
    check_order(first.id, till.pay)
    assert order_of(charge).state == "closed"
    till.prepare(charge)
    assert [each.state for each in queries.orders_of(charge.id)] == ["closed", "payable"]


def test_an_order_whose_sender_woke_after_it_was_given_up_is_handed_to_nobody(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    charge = owed(till.treasury_payee())

    def meanwhile() -> None:
        till.later(61)
        check_order(order_of(charge).id, till.pay)
        till.prepare(charge)

    asleep(monkeypatch, import_module("payments.charges.actions.prepare"), "fault_point", meanwhile)
    with pytest.raises(PaymentUncertain):
        till.prepare(charge)
    assert [each.state for each in queries.orders_of(charge.id)] == ["closed", "payable"]


def test_an_order_near_its_end_is_closed_at_wechat_before_a_new_one_opens(till: Till) -> None:
    charge, first = till.ordered(till.treasury_payee())
    till.later(14 * 60)
    till.prepare(charge)
    assert [each.state for each in queries.orders_of(charge.id)] == ["closed", "payable"]
    assert till.wechat.order(first.out_trade_no)["trade_state"] == "CLOSED"


def test_another_payer_gets_an_order_of_their_own_after_the_first_is_closed(till: Till) -> None:
    charge, first = till.ordered(till.treasury_payee())
    till.prepare(charge, ANOTHER)
    assert till.wechat.order(first.out_trade_no)["trade_state"] == "CLOSED"
    assert till.wechat.order(order_of(charge).out_trade_no)["trade_state"] == "NOTPAY"


def test_paying_in_the_moment_of_closing_settles_instead_of_opening_a_second_order(till: Till) -> None:
    payee = till.treasury_payee()
    charge, _ = till.ordered(payee)
    till.later(14 * 60)
    till.fail("paid_at_close", "close")
    with pytest.raises(AlreadyPaid):
        till.prepare(charge)
    assert (state_of(charge), len(payments(charge)), len(queries.orders_of(charge.id))) == ("paid", 1, 1)
    assert books(payee) == {"wx_receivable": 1250, "customer_prepaid": -1250}


def test_no_new_order_opens_while_the_old_one_may_still_be_paid(till: Till) -> None:
    charge, _ = till.ordered(till.treasury_payee())
    till.later(14 * 60)
    till.fail("error_503", "close", times=4)
    till.fail("error_503", "query", times=4)
    with pytest.raises(PaymentUncertain):
        till.prepare(charge)
    [order] = queries.orders_of(charge.id)
    assert order.state == "closing"
    assert order.next_check_at is not None


def test_asking_again_after_paying_learns_of_the_payment(till: Till) -> None:
    charge, order = till.ordered(till.treasury_payee())
    till.paid(order)
    with pytest.raises(AlreadyPaid):
        till.prepare(charge)
    assert state_of(charge) == "paid"


def test_a_paid_or_withdrawn_or_free_charge_is_not_ordered(till: Till) -> None:
    payee = till.treasury_payee()
    withdrawn, free = owed(payee), owed(payee, 0)
    withdraw(withdrawn.key, "test")
    with pytest.raises(ChargeClosed):
        till.prepare(withdrawn)
    with pytest.raises(AlreadyPaid):
        till.prepare(free)


def test_a_charge_that_nobody_opened_is_not_ordered(till: Till) -> None:
    with pytest.raises(NoSuchCharge):
        till.prepare(Charge(key=uuid.uuid4()))


def test_the_call_is_written_down_before_and_answered_after(till: Till, program: str) -> None:
    _, order = till.ordered(till.treasury_payee())
    with psycopg.connect(program) as connection:
        rows = connection.execute("SELECT purpose, state FROM channel_call WHERE order_id = %s", (order.id,)).fetchall()
    assert rows == [("create", "done")]


def test_the_payers_openid_lies_nowhere_in_the_clear(till: Till, program: str) -> None:
    _, order = till.ordered(till.treasury_payee())
    with psycopg.connect(program) as connection:
        [(row,)] = connection.execute(
            "SELECT payment_order::text || encode(payer, 'escape') || encode(body, 'escape') "
            "FROM payment_order WHERE id = %s",
            (order.id,),
        ).fetchall()
    assert OPENID not in row
