"""Money goes back: how much, why, out of which account, and by whose word."""

from datetime import UTC, datetime, timedelta

import pytest

from app.kernel.refusals import Refusal
from app.kernel.states import WrongState
from payments.charges.actions import recognise
from payments.charges.models import Charge, Payment
from payments.ledger.queries import lines_of
from payments.payees.models import Payee
from payments.refunds.actions import approve, ask, reject
from payments.refunds.actions.ask import (
    RefundBasisMissing,
    RefundReasonUnfit,
    RefundSumUnfit,
    RefundTooLate,
    TooManyRefunds,
    TooMuchRefunded,
)
from payments.refunds.actions.decide import OwnRefund
from payments.refunds.models import Refund
from payments.refunds.queries import journals_of_refund, steps_of
from tests.payments.world import (
    MOVED,
    Till,
    books,
    now_of,
    promised,
    reserved,
    sent,
)

PAID = {"wx_receivable": 1250, "customer_prepaid": -1250}
NOON = datetime(2026, 5, 1, 4, tzinfo=UTC)


def test_a_refund_is_promised_at_once_accepted_by_wechat_and_found_done_when_asked(
    till: Till, payee: Payee, payment: Payment
) -> None:
    made = promised(payment, 300)
    assert (made.state, reserved(payment)) == ("approved", 300)
    assert books(payee) == {"wx_receivable": 1250, "customer_prepaid": -950, "refund_payable": -300}
    till.bring(made)
    assert now_of(made).state == "processing"
    till.later(6)
    till.bring(made)
    assert (now_of(made).state, now_of(made).next_check_at) == ("success", None)
    assert books(payee) == {"wx_receivable": 950, "customer_prepaid": -950}
    assert [each.kind for each in journals_of_refund(made)] == ["refund_request", "refund_success"]
    assert [each.state for each in steps_of(made.id)] == [
        "requested",
        "approved",
        "submitting",
        "processing",
        "success",
    ]
    book = till.refund_in_wechats_book(made)
    assert book is not None
    assert (book["refund"], book["total"], book["reason"], book["status"]) == (300, 1250, "多缴退还", "SUCCESS")


def test_partial_refunds_follow_each_other_up_to_what_was_paid_and_no_further(
    till: Till, payee: Payee, payment: Payment
) -> None:
    for fen in (500, 750):
        made = promised(payment, fen)
        till.bring(made)
        till.later(61)
        till.bring(made)
        assert now_of(made).state == "success"
    assert books(payee) == {}
    with pytest.raises(TooMuchRefunded) as refusal:
        promised(payment, 1)
    assert refusal.value.details == {"left_fen": 0}


def test_what_was_earned_already_is_taken_from_there_and_the_rest_from_what_was_not(
    till: Till, payee: Payee, paid: tuple[Charge, Payment]
) -> None:
    charge, payment = paid
    promised(payment, 250)
    recognise(charge.key)
    assert books(payee) == {"wx_receivable": 1250, "due_to_treasury": -1000, "refund_payable": -250}
    second = promised(payment, 400)
    assert (second.from_prepaid_fen, books(payee)["due_to_treasury"]) == (0, -600)


def test_a_charge_of_which_all_goes_back_earns_nothing(payee: Payee, paid: tuple[Charge, Payment]) -> None:
    charge, payment = paid
    promised(payment, 1250)
    assert recognise(charge.key).state == "fulfilled"
    assert books(payee) == {"wx_receivable": 1250, "refund_payable": -1250}


def test_a_part_that_wechat_closed_before_it_was_earned_is_drawn_from_there_again(
    till: Till, payee: Payee, paid: tuple[Charge, Payment]
) -> None:
    charge, payment = paid
    first = sent(till, payment, 250)
    recognise(charge.key)
    till.comes_to(first, "CLOSED")
    till.bring(first)
    assert books(payee) == {"wx_receivable": 1250, "due_to_treasury": -1000, "customer_prepaid": -250}
    assert promised(payment, 300).from_prepaid_fen == 250
    assert books(payee) == {"wx_receivable": 1250, "due_to_treasury": -950, "refund_payable": -300}


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        ({"amount_fen": 0}, RefundSumUnfit),
        ({"amount_fen": 1251}, TooMuchRefunded),
        ({"reason": "because"}, RefundReasonUnfit),
        ({"reason": "paid_twice"}, RefundReasonUnfit),
        ({"reason": "goodwill"}, RefundReasonUnfit),
        ({"basis": "  "}, RefundBasisMissing),
    ],
)
def test_what_may_not_go_back_is_refused_and_nothing_is_promised(
    payee: Payee, payment: Payment, words: dict[str, object], refusal: type[Refusal]
) -> None:
    wish = {"amount_fen": 100, "reason": "overpaid", "basis": "多收", "asked_by": "staff:1", "alone_up_to_fen": 0}
    with pytest.raises(refusal):
        ask(payment.key, **(wish | words), on_moved=MOVED)  # type: ignore[arg-type]
    assert (reserved(payment), books(payee)) == (0, PAID)


def test_an_enterprise_may_give_back_out_of_goodwill(till: Till) -> None:
    _, payment = till.paid_charge(till.enterprise_payee())
    assert promised(payment, 100, reason="goodwill").state == "approved"


def test_a_year_later_and_after_fifty_times_wechat_takes_no_refund_and_neither_do_we(
    till: Till, payment: Payment
) -> None:
    for _ in range(50):
        promised(payment, 1)
    with pytest.raises(TooManyRefunds):
        promised(payment, 1)
    till.later(timedelta(days=365).total_seconds())
    with pytest.raises(RefundTooLate):
        promised(payment, 1)


def asked(payment: Payment, fen: int, alone_up_to: int) -> Refund:
    """A refund that one person asked for."""
    return ask(
        payment.key, fen, reason="overpaid", basis="多计时长", asked_by="staff:1", alone_up_to_fen=alone_up_to,
        on_moved="tests.moved",
    )  # fmt: skip


def test_a_large_refund_waits_for_another_person(till: Till) -> None:
    _, payment = till.paid_charge(till.enterprise_payee())
    made = asked(payment, 300, alone_up_to=299)
    till.bring(made)
    assert (now_of(made).state, till.refund_in_wechats_book(made)) == ("requested", None)
    with pytest.raises(OwnRefund):
        approve(made.key, "staff:1", "同意")
    approve(made.key, "staff:2", "同意")
    till.bring(made)
    assert now_of(made).state == "processing"
    with pytest.raises(WrongState):
        reject(made.key, "staff:2", "不同意")


def test_a_large_refund_in_small_pieces_waits_for_another_person_as_well(till: Till) -> None:
    _, payment = till.paid_charge(till.enterprise_payee())
    first, second = asked(payment, 200, alone_up_to=300), asked(payment, 101, alone_up_to=300)
    assert (first.state, second.state) == ("approved", "requested")
    assert asked(payment, 1, alone_up_to=302).state == "approved"


def test_a_refund_of_the_treasurys_money_waits_for_another_person_whatever_one_may_alone(payment: Payment) -> None:
    assert asked(payment, 1, alone_up_to=10**6).state == "requested"


def test_a_rejected_refund_leaves_the_money_where_it_was(payee: Payee, payment: Payment) -> None:
    made = promised(payment, 300, alone_up_to=0)
    with pytest.raises(OwnRefund):
        reject(made.key, "staff:1", "误提")
    reject(made.key, "staff:2", "金额不符")
    assert (now_of(made).state, reserved(payment), books(payee)) == ("rejected", 0, PAID)
    assert promised(payment, 1250).state == "approved"


def test_every_posting_of_a_refund_is_of_its_sum(till: Till, payment: Payment) -> None:
    made = sent(till, payment)
    till.comes_to(made, "SUCCESS")
    till.bring(made)
    sums = {
        sum(line.amount_fen for line in lines_of(each.id) if line.amount_fen > 0) for each in journals_of_refund(made)
    }
    assert sums == {300}
