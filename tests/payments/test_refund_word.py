"""WeChat's word of a refund: lost, late, doubled, wrong, or never said."""

from datetime import UTC, datetime, timedelta

import pytest

from app.kernel.states import WrongState
from payments.charges import queries
from payments.charges.models import Payment
from payments.payees.models import Payee
from payments.payees.queries import channel_of
from payments.refunds.actions import apply_refund_notice, stop, sweep
from payments.refunds.queries import journals_of_refund
from payments.refunds.rules import HEARD_WITHIN, next_check
from payments.wechat import RefundOrder
from tests.payments.servers import Door, in_parallel
from tests.payments.world import (
    Till,
    books,
    cases,
    notice,
    now_of,
    promised,
    reserved,
    sent,
    told_of,
)

PAID = {"wx_receivable": 1250, "customer_prepaid": -1250}
NOON = datetime(2026, 5, 1, 4, tzinfo=UTC)


@pytest.mark.parametrize("fault", ["error_500", "error_500_after", "reset_after", "wrong_signature", "error_503"])
def test_unknown_is_not_failed_and_the_same_number_goes_again(till: Till, payment: Payment, fault: str) -> None:
    made = promised(payment, 300)
    till.fail(fault, "refund")
    till.bring(made)
    assert (now_of(made).state, reserved(payment)) == ("unknown", 300)
    till.bring(made)
    assert now_of(made).state == "processing"
    assert len(till.wechat.control("GET", f"/book?out_trade_no={order_number(payment)}")["refunds"]) == 1


def order_number(payment: Payment) -> str:
    return queries.orders_of(payment.charge_id)[-1].out_trade_no


def test_while_wechat_is_silent_nothing_is_concluded_and_after_a_quarter_of_an_hour_a_person_hears(
    till: Till, payment: Payment
) -> None:
    made = promised(payment, 300)
    till.fail("error_500", "refund")
    till.bring(made)
    till.fail("error_500", "query_refund", times=2)
    assert till.bring(made) is False
    assert cases(made.out_refund_no) == []
    till.later(16 * 60)
    till.bring(made)
    assert (now_of(made).state, reserved(payment)) == ("unknown", 300)
    assert [each.kind for each in cases(made.out_refund_no)] == ["refund_unknown_too_long"]


def test_too_soon_after_another_refund_it_is_sent_again_a_minute_later(till: Till, payment: Payment) -> None:
    till.bring(promised(payment, 100))
    second = promised(payment, 100)
    till.bring(second)
    assert (now_of(second).state, cases(second.out_refund_no)) == ("unknown", [])
    till.later(61)
    till.bring(second)
    assert now_of(second).state == "processing"


def test_without_funds_a_person_hears_of_it_and_it_is_tried_again(till: Till, payee: Payee, payment: Payment) -> None:
    empty = [channel_of(payee.id).sub_mchid]
    till.wechat.control("POST", "/switches", {"empty_sub_merchants": empty})
    made = promised(payment, 300)
    till.bring(made)
    assert [each.kind for each in cases(made.out_refund_no)] == ["refund_without_funds"]
    till.wechat.control("POST", "/switches", {"empty_sub_merchants": []})
    till.bring(made)
    assert now_of(made).state == "processing"


def test_a_refund_that_is_given_up_ends_when_wechat_signs_that_there_is_none(
    till: Till, payee: Payee, payment: Payment
) -> None:
    made = promised(payment, 300)
    till.fail("error_500", "refund")
    till.bring(made)
    stop(made.key, "staff:2", "用户账户已注销")
    till.later(HEARD_WITHIN.total_seconds() + 2)
    till.bring(made)
    assert (now_of(made).state, reserved(payment)) == ("stopping", 300)
    till.wechat.control("POST", "/switches", {"sign_errors": True})
    till.bring(made)
    assert (now_of(made).state, reserved(payment), books(payee)) == ("closed", 0, PAID)
    assert till.refund_in_wechats_book(made) is None


def test_a_refund_that_is_given_up_too_late_goes_its_way(till: Till, payment: Payment) -> None:
    made = promised(payment, 300)
    till.fail("error_500_after", "refund")
    till.bring(made)
    stop(made.key, "staff:2", "用户账户已注销")
    till.bring(made)
    assert now_of(made).state == "processing"
    with pytest.raises(WrongState):
        stop(made.key, "staff:2", "用户账户已注销")


def test_what_may_still_be_on_its_way_does_not_end(till: Till, payment: Payment) -> None:
    made = promised(payment, 300)
    till.fail("error_500", "refund")
    till.bring(made)
    till.wechat.control("POST", "/switches", {"sign_errors": True})
    stop(made.key, "staff:2", "用户账户已注销")
    till.later(HEARD_WITHIN.total_seconds() - 10)
    till.bring(made)
    assert (now_of(made).state, reserved(payment)) == ("stopping", 300)


def test_an_abnormal_refund_is_a_persons_and_ends_well_when_wechat_says_so(
    till: Till, payee: Payee, payment: Payment
) -> None:
    made = sent(till, payment)
    till.comes_to(made, "ABNORMAL")
    till.bring(made)
    assert (now_of(made).state, reserved(payment)) == ("abnormal", 300)
    assert books(payee) == {"wx_receivable": 1250, "customer_prepaid": -950, "refund_abnormal": -300}
    assert [each.kind for each in cases(made.out_refund_no)] == ["refund_abnormal"]
    till.comes_to(made, "SUCCESS")
    till.bring(made)
    assert (now_of(made).state, books(payee)) == ("success", {"wx_receivable": 950, "customer_prepaid": -950})


def test_an_abnormal_refund_that_is_closed_leaves_no_trace_but_its_story(
    till: Till, payee: Payee, payment: Payment
) -> None:
    made = sent(till, payment)
    for status in ("ABNORMAL", "CLOSED"):
        till.comes_to(made, status)
        till.bring(made)
    assert (now_of(made).state, reserved(payment), books(payee)) == ("closed", 0, PAID)


@pytest.mark.parametrize(("status", "state"), [("SUCCESS", "success"), ("CLOSED", "closed"), ("ABNORMAL", "abnormal")])
def test_a_notice_takes_effect_once_however_often_it_comes(
    till: Till, door: Door, payee: Payee, payment: Payment, status: str, state: str
) -> None:
    made = sent(till, payment)
    told = till.comes_to(made, status)
    again = till.comes_to(made, status)
    assert till.deliver(told, copies=4) == [200] * 4
    after = books(payee)
    assert till.deliver(again) == till.deliver(told) == [200]
    assert (now_of(made).state, books(payee)) == (state, after)
    assert len(journals_of_refund(made)) == 1 + (status != "CLOSED")


def test_an_old_notice_that_comes_again_is_not_held_against_newer_news(
    till: Till, door: Door, payment: Payment
) -> None:  # fmt: skip
    made = sent(till, payment)
    told = till.comes_to(made, "ABNORMAL")
    assert till.deliver(told) == [200]
    till.comes_to(made, "SUCCESS")
    till.bring(made)
    assert till.deliver(told) == [200]
    assert now_of(made).state == "success"
    assert [each.kind for each in cases(made.out_refund_no)] == ["refund_abnormal"]


def test_a_notice_that_comes_before_the_answer_is_not_undone_by_it(
    till: Till, door: Door, payee: Payee, payment: Payment
) -> None:
    made = promised(payment, 300)
    till.fail("error_500_after", "refund")
    till.bring(made)
    assert till.deliver(till.comes_to(made, "SUCCESS")) == [200]
    till.bring(made)
    assert (now_of(made).state, books(payee)) == ("success", {"wx_receivable": 950, "customer_prepaid": -950})


@pytest.mark.parametrize(
    ("changed", "fields", "severity"),
    [
        ({"amount": {"total": 1250, "refund": 301}}, ["refund_fen"], 2),
        ({"amount": {"total": 1251, "refund": 300}}, ["total_fen"], 2),
        ({"transaction_id": "4200000000202605010000000000"}, ["transaction_id"], 2),
        ({"refund_id": "50300000000000000000000000000"}, ["refund_id"], 2),
        ({"sub_mchid": "1900000001"}, ["sub_mchid"], 1),
    ],
)
def test_an_authentic_notice_that_is_not_of_our_refund_moves_no_money(
    till: Till, payee: Payee, payment: Payment, changed: dict[str, object], fields: list[str], severity: int
) -> None:
    made = sent(till, payment)
    before = books(payee)
    apply_refund_notice(notice(told_of(till, made, **changed), "REFUND.SUCCESS", "refund"))
    assert (now_of(made).state, books(payee)) == ("processing", before)
    [case] = cases(made.out_refund_no)
    assert (case.kind, case.detail["fields"], case.severity) == ("refund_mismatch", fields, severity)


def test_a_word_against_an_end_is_a_grave_case_and_changes_nothing(till: Till, payee: Payee, payment: Payment) -> None:
    made = sent(till, payment)
    till.comes_to(made, "CLOSED")
    till.bring(made)
    apply_refund_notice(notice(told_of(till, made), "REFUND.SUCCESS", "refund"))
    assert (now_of(made).state, books(payee)) == ("closed", PAID)
    assert {(each.kind, each.severity) for each in cases(made.out_refund_no)} == {
        ("refund_closed", 3), ("refund_contradicted", 1),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("said", "event", "kind"),
    [
        (b"[]", "REFUND.SUCCESS", "unreadable_notice"),
        (b"{}", "TRANSACTION.SUCCESS", "unknown_event"),
    ],
)
def test_a_notice_that_nobody_can_follow_leaves_a_case(till: Till, said: bytes, event: str, kind: str) -> None:
    told = notice(said, event, "refund")
    apply_refund_notice(told)
    assert [each.kind for each in cases(told.id)] == [kind]


def test_a_notice_of_a_refund_that_is_not_ours_leaves_a_case(till: Till, payment: Payment) -> None:
    made = sent(till, payment)
    apply_refund_notice(notice(told_of(till, made, out_refund_no="Rnobodys"), "REFUND.SUCCESS", "refund"))
    assert [each.kind for each in cases("Rnobodys")] == ["unknown_refund"]


def test_sweepers_side_by_side_send_a_refund_once_and_end_with_the_first_silence(till: Till, payment: Payment) -> None:
    made = promised(payment, 300)
    in_parallel(till.app, 3, lambda: sweep(till.pay, till.refund_url))
    assert now_of(made).state == "processing"
    till.later(61)
    till.fail("error_500", "query_refund", times=0)
    assert sweep(till.pay, till.refund_url) == 1
    till.wechat.control("DELETE", "/faults")
    assert now_of(made).next_check_at is not None


def test_wechat_is_asked_after_1_5_10_20_and_30_minutes_and_seldom_about_what_is_a_persons() -> None:
    waits = [(next_check("processing", checks, NOON) - NOON) / timedelta(minutes=1) for checks in range(6)]
    assert waits == [1, 5, 10, 20, 30, 30]
    assert next_check("abnormal", 0, NOON) - NOON == timedelta(hours=6)


@pytest.mark.parametrize(
    "wrong", [{"out_refund_no": "退"}, {"refund_fen": 0}, {"refund_fen": 3}, {"reason": ""}, {"reason": "x" * 81}]
)
def test_what_wechat_cannot_take_is_never_written(wrong: dict[str, object]) -> None:
    fit: dict[str, object] = {
        "sub_mchid": "1900000001", "transaction_id": "42", "out_refund_no": "R1", "reason": "多缴退还",
        "notify_url": "https://example.com/x", "refund_fen": 1, "total_fen": 2,
    }  # fmt: skip
    assert RefundOrder(**fit).body()  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"refund|reason"):
        RefundOrder(**(fit | wrong))  # type: ignore[arg-type]
