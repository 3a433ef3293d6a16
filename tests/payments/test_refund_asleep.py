"""A process falls asleep with a refund in hand (SIGSTOP, a machine that moves house) and wakes in another world."""

import pytest

from app.kernel import clock
from payments.charges import queries
from payments.charges.models import Payment
from payments.payees.models import Payee
from payments.refunds.actions import check, confirm_refund, send, stop
from payments.refunds.models import Refund
from payments.refunds.rules import HEARD_WITHIN
from payments.wechat import WeChatPay
from tests.payments.world import Till, books, cases, now_of, promised, reserved
from tests.races import asleep

PAID = {"wx_receivable": 1250, "customer_prepaid": -1250}
AS_LONG_AS_IT_TAKES = HEARD_WITHIN.total_seconds() + 2


@pytest.fixture
def doubtful(till: Till, payment: Payment) -> Refund:
    """A refund that WeChat was asked for in vain; of what it has not it says so under its signature."""
    made = promised(payment, 300)
    till.fail("error_500", "refund")
    till.bring(made)
    till.wechat.control("POST", "/switches", {"sign_errors": True})
    return now_of(made)


def given_up(till: Till, made: Refund, seconds: float = AS_LONG_AS_IT_TAKES) -> None:
    stop(made.key, "staff:2", "用户账户已注销")
    till.later(seconds)
    till.bring(made)


def at_wechat(till: Till, payment: Payment) -> list[str]:
    """The numbers under which money of this payment goes back."""
    number = queries.orders_of(payment.charge_id)[-1].out_trade_no
    return [each["out_refund_no"] for each in till.wechat.control("GET", f"/book?out_trade_no={number}")["refunds"]]


def test_a_sender_that_wakes_after_its_refund_was_given_up_gives_nothing_back_beside_the_next(
    till: Till, payee: Payee, payment: Payment, doubtful: Refund, monkeypatch: pytest.MonkeyPatch
) -> None:
    then: list[Refund] = []

    def meanwhile() -> None:
        given_up(till, doubtful)
        then.append(promised(payment, 300))
        till.bring(then[0])
        till.later(61)

    asleep(monkeypatch, send, "fault_point", meanwhile)
    till.bring(doubtful)
    [second] = then
    assert at_wechat(till, payment) == [second.out_refund_no]
    till.bring(second)
    assert (now_of(doubtful).state, now_of(second).state, reserved(payment)) == ("closed", "success", 300)
    assert books(payee) == {"wx_receivable": 950, "customer_prepaid": -950}


def test_a_sender_that_wakes_sooner_is_still_heard_and_its_refund_did_not_end(
    till: Till, payment: Payment, doubtful: Refund, monkeypatch: pytest.MonkeyPatch
) -> None:
    asleep(monkeypatch, send, "fault_point", lambda: given_up(till, doubtful, 4 * 60))
    till.bring(doubtful)
    assert at_wechat(till, payment) == [doubtful.out_refund_no]
    assert (now_of(doubtful).state, reserved(payment)) == ("processing", 300)


def test_a_sender_that_wakes_too_late_is_nobodys_case_and_its_refund_goes_on(
    till: Till, payment: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = promised(payment, 300)
    asleep(monkeypatch, send, "fault_point", lambda: till.later(6 * 60))
    till.bring(made)
    assert (at_wechat(till, payment), now_of(made).state, cases(made.out_refund_no)) == ([], "unknown", [])
    till.later(61)
    till.bring(made)
    assert (at_wechat(till, payment), now_of(made).state) == ([made.out_refund_no], "processing")


def test_that_wechat_had_none_ends_a_refund_only_as_of_when_it_was_asked(
    till: Till, payment: Payment, doubtful: Refund, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop(doubtful.key, "staff:2", "用户账户已注销")
    asleep(monkeypatch, check, "_must_be_sent", lambda: till.later(AS_LONG_AS_IT_TAKES))
    till.bring(doubtful)
    assert (now_of(doubtful).state, reserved(payment)) == ("stopping", 300)
    till.bring(doubtful)
    assert (now_of(doubtful).state, reserved(payment)) == ("closed", 0)


def test_a_refund_that_wechat_takes_though_it_was_over_before_it_ever_spoke_of_it_is_a_grave_case(
    till: Till, payee: Payee, payment: Payment, doubtful: Refund
) -> None:
    given_up(till, doubtful)
    _taken_all_the_same(till.pay, doubtful)
    assert confirm_refund(doubtful.id, till.pay, "bill") == "contradicted"
    assert (now_of(doubtful).state, reserved(payment), books(payee)) == ("closed", 0, PAID)
    [case] = [each for each in cases(doubtful.out_refund_no) if each.kind == "refund_contradicted"]
    assert (case.severity, case.detail["ours"], case.detail["theirs"]) == (1, "closed", "PROCESSING")


def _taken_all_the_same(pay: WeChatPay, given_up: Refund) -> None:
    assert given_up.body is not None
    pay.create_refund(given_up.body, clock.now())
