"""What becomes known though nobody tells us."""

import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.charges.actions import check_order, prepare, sweep, withdraw
from payments.charges.actions.check import end_order
from payments.charges.actions.prepare import PaymentUncertain
from payments.charges.actions.withdraw import AlreadyPaid
from payments.charges.rules import KNOWN_WITHIN, ORDER_LIFE, next_check
from payments.wechat import WeChatPay
from tests.payments.servers import in_parallel
from tests.payments.world import OPENID, Till, books, cases, jobs, order_of, owed, payments, state_of

PAID = {"wx_receivable": 1250, "customer_prepaid": -1250}
NOON = datetime(2026, 5, 1, 4, tzinfo=UTC)


def swept(till: Till) -> None:
    """Sweep until nothing is due."""
    while sweep(till.pay, 20):
        pass


def test_a_payment_whose_notice_never_came_is_found_within_a_minute(till: Till) -> None:
    payee = till.treasury_payee()
    charge, order = till.ordered(payee)
    till.paid(order)
    till.later(15)
    swept(till)
    assert (state_of(charge), books(payee), jobs(charge)) == ("paid", PAID, 1)


def test_a_payment_made_in_the_last_half_minute_is_found_when_the_order_is_to_be_closed(till: Till) -> None:
    payee = till.treasury_payee()
    charge, order = till.ordered(payee)
    till.later(ORDER_LIFE.total_seconds() - 30)
    till.paid(order)
    till.later(120)
    swept(till)
    assert (state_of(charge), books(payee)) == ("paid", PAID)


def test_an_expired_order_is_closed_at_wechat_and_the_debt_stays(till: Till) -> None:
    charge, order = till.ordered(till.treasury_payee())
    till.later(ORDER_LIFE.total_seconds() + 1)
    swept(till)
    assert till.wechat.order(order.out_trade_no)["trade_state"] == "CLOSED"
    assert (order_of(charge).state, order_of(charge).next_check_at, state_of(charge)) == ("closed", None, "created")


def test_sweepers_side_by_side_record_a_payment_once(till: Till) -> None:
    payee = till.treasury_payee()
    charge, order = till.ordered(payee)
    till.paid(order)
    till.later(15)
    in_parallel(till.app, 4, lambda: swept(till))
    assert (books(payee), jobs(charge), len(payments(charge))) == (PAID, 1, 1)


def test_an_order_in_a_sweepers_hands_is_not_taken_by_another(till: Till) -> None:
    swept(till)
    till.ordered(till.treasury_payee())
    till.later(15)
    assert sorted(in_parallel(till.app, 2, lambda: sweep(till.pay))) == [0, 1]


def test_while_wechat_is_away_nothing_is_concluded_and_it_is_asked_again(till: Till) -> None:
    charge, order = till.ordered(till.treasury_payee())
    till.paid(order)
    till.fail("error_500", "query", times=2)
    check_order(order.id, till.pay)
    assert (order_of(charge).state, state_of(charge)) == ("payable", "created")
    assert order_of(charge).next_check_at is not None
    till.wechat.control("DELETE", "/faults")
    check_order(order.id, till.pay)
    assert state_of(charge) == "paid"


def test_a_round_ends_with_the_first_silence_and_the_others_stay_due(till: Till) -> None:
    charges = [till.ordered(till.treasury_payee())[0] for _ in range(3)]
    for charge in charges:
        till.paid(order_of(charge))
    till.later(15)
    till.fail("error_500", "query", times=0)
    assert sweep(till.pay) == 1
    till.wechat.control("DELETE", "/faults")
    assert sweep(till.pay) == 2
    assert sorted(state_of(charge) for charge in charges) == ["created", "paid", "paid"]


def test_an_order_of_which_wechat_says_nothing_for_a_quarter_of_an_hour_becomes_a_case(till: Till) -> None:
    charge = owed(till.treasury_payee())
    till.fail("error_500", "create", times=2)
    with pytest.raises(PaymentUncertain):
        till.prepare(charge)
    till.fail("error_500", "query", times=10)
    till.later(16 * 60)
    check_order(order_of(charge).id, till.pay)
    assert [each.kind for each in cases(order_of(charge).out_trade_no)] == ["order_unknown_too_long"]


def test_a_lost_answer_to_the_closing_of_an_expired_order_is_no_case_until_it_has_lasted(till: Till) -> None:
    charge, order = till.ordered(till.treasury_payee())
    till.later(ORDER_LIFE.total_seconds() + 1)
    till.fail("error_500_after", "close")
    till.fail("error_500", "query", times=2)
    end_order(order.id, till.pay)
    assert (order_of(charge).state, cases(order.out_trade_no)) == ("closing", [])
    till.later(16 * 60)
    check_order(order.id, till.pay)
    assert [each.kind for each in cases(order.out_trade_no)] == ["order_unknown_too_long"]


def test_what_does_not_match_when_asked_waits_for_a_person_and_is_not_asked_again(till: Till) -> None:
    payee = till.treasury_payee()
    charge = owed(payee)
    url = till.settings.wechat.notify_url
    prepare(charge.key, OPENID, till.pay, sp_appid="wx-of-another-program", notify_url=url)
    order = order_of(charge)
    till.paid(order)
    check_order(order.id, till.pay)
    assert (state_of(charge), books(payee), order_of(charge).next_check_at) == ("created", {}, None)
    assert [each.detail["fields"] for each in cases(order.out_trade_no)] == [["sp_appid"]]


def test_a_withdrawn_charge_is_closed_at_wechat_by_the_sweeper(till: Till) -> None:
    charge, order = till.ordered(till.treasury_payee())
    assert withdraw(charge.key, "test").state == "closing"
    swept(till)
    assert (state_of(charge), order_of(charge).state) == ("closed", "closed")
    assert till.wechat.order(order.out_trade_no)["trade_state"] == "CLOSED"


def test_a_charge_without_an_order_is_withdrawn_at_once_and_once(till: Till) -> None:
    charge = owed(till.treasury_payee())
    assert withdraw(charge.key, "test").state == "closed"
    assert withdraw(charge.key, "test").state == "closed"


def test_withdrawing_races_paying_and_the_payment_counts(till: Till) -> None:
    payee = till.treasury_payee()
    charge, _ = till.ordered(payee)
    withdraw(charge.key, "test")
    till.fail("paid_at_close", "close")
    swept(till)
    assert (state_of(charge), books(payee), jobs(charge)) == ("paid", PAID, 1)


@pytest.mark.parametrize(("status", "code"), [(400, "ORDER_PAID"), (403, "ORDERPAID"), (400, "TRADE_ERROR")])
def test_whatever_a_refused_close_is_called_the_query_decides(till: Till, status: int, code: str) -> None:
    charge, _ = till.ordered(till.treasury_payee())
    withdraw(charge.key, "test")
    till.wechat.control("POST", "/switches", {"close_paid_status": status, "paid_code": code})
    till.fail("paid_at_close", "close")
    swept(till)
    till.wechat.control("POST", "/switches", {"close_paid_status": 400, "paid_code": "ORDER_PAID"})
    assert state_of(charge) == "paid"


def test_a_lost_answer_to_a_close_is_asked_for(till: Till) -> None:
    charge, _ = till.ordered(till.treasury_payee())
    withdraw(charge.key, "test")
    till.fail("error_500_after", "close", times=2)
    swept(till)
    assert state_of(charge) == "closed"


def test_a_paid_charge_is_not_withdrawn(till: Till) -> None:
    charge, order = till.ordered(till.treasury_payee())
    till.paid(order)
    check_order(order.id, till.pay)
    with pytest.raises(AlreadyPaid):
        withdraw(charge.key, "test")


def test_one_order_that_fails_does_not_stop_the_others(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    swept(till)
    _, broken = till.ordered(till.treasury_payee())
    charge, order = till.ordered(till.treasury_payee())
    till.paid(order)
    till.later(15)

    def failing(order_id: int, pay: WeChatPay) -> bool:
        if order_id == broken.id:
            raise ZeroDivisionError
        return check_order(order_id, pay)

    monkeypatch.setattr(sys.modules[sweep.__module__], "check_order", failing)
    with pytest.raises(ExceptionGroup) as failures:
        sweep(till.pay)
    assert len(failures.value.exceptions) == 1
    assert state_of(charge) == "paid"


@given(
    checks=st.integers(0, 1000),
    spent=st.integers(-3600, 900),
    state=st.sampled_from(["payable", "unknown", "closing"]),
)
def test_the_next_question_lies_ahead_and_a_payable_order_is_asked_about_at_its_end(
    checks: int, spent: int, state: str
) -> None:
    end = NOON + timedelta(seconds=spent)
    asked = next_check(state, checks, end - ORDER_LIFE, end, NOON)
    assert NOON < asked <= NOON + KNOWN_WITHIN
    assert end <= NOON or asked <= end


def questions(state: str, accepted: timedelta) -> list[timedelta]:
    """When WeChat is asked about an order, which it accepted a while after it was placed, until its end."""
    end, asked = NOON + ORDER_LIFE, [NOON + accepted]
    while asked[-1] < end:
        asked.append(next_check(state, len(asked) - 1, NOON, end, asked[-1]))
    return [each - NOON for each in asked[1:]]


def test_a_payable_order_is_asked_about_after_10_s_30_s_and_then_at_moments_that_lie_ever_farther_apart() -> None:
    minutes = [each / timedelta(minutes=1) for each in questions("payable", timedelta())]
    assert minutes == [1 / 6, 1 / 2, 1, 2, 5, 7.5, 10, 12.5, 15]


@given(
    accepted=st.timedeltas(timedelta(), timedelta(minutes=14)),
    later=st.timedeltas(timedelta(), ORDER_LIFE),
    state=st.sampled_from(["payable", "unknown", "closing"]),
)
def test_whenever_an_order_is_paid_the_next_question_comes_within_five_minutes(
    accepted: timedelta, later: timedelta, state: str
) -> None:
    paid = min(accepted + later, ORDER_LIFE)
    assert min(each for each in questions(state, accepted) if each >= paid) - paid < KNOWN_WITHIN


def test_a_payment_in_the_middle_of_an_orders_life_is_known_of_within_five_minutes(till: Till) -> None:
    payee = till.treasury_payee()
    charge, order = till.ordered(payee)
    for seconds in (15, 30, 60, 120, 120):
        till.later(seconds)
        swept(till)
    till.paid(order)
    till.later(KNOWN_WITHIN.total_seconds())
    swept(till)
    assert (state_of(charge), books(payee)) == ("paid", PAID)
