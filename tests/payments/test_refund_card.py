"""What WeChat could not give back goes to another card of whoever paid, and the card is kept nowhere."""

from dataclasses import replace
from importlib import import_module
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from app.kernel.states import WrongState
from payments.charges.models import Payment
from payments.payees.models import Payee
from payments.refunds.actions import pay_to_card
from payments.refunds.actions.pay_to_card import CardReasonMissing, CardRefused, OwnRefundToCard
from payments.refunds.models import Refund
from payments.wechat import SIGNATURE_HOLDS, BankCard, KeyRing
from tests.payments.world import Till, books, cases, now_of, sent
from tests.races import asleep

NUMBER, HOLDER = "6222020200112233445", "示例持卡人"
CARD = BankCard("ICBC_DEBIT", NUMBER, HOLDER)


@pytest.fixture
def abnormal(till: Till, payment: Payment) -> Refund:
    """A refund of 3 yuan that WeChat took and could not hand over."""
    made = sent(till, payment)
    till.comes_to(made, "ABNORMAL")
    till.bring(made)
    till.wechat.control("POST", "/switches", {"refund_outcome": "SUCCESS"})
    return now_of(made)


def paid_out(till: Till, refund: Refund, card: BankCard = CARD, by: str = "staff:2") -> Refund:
    return pay_to_card(refund.key, card, till.pay, by, "原卡已注销")


def received_by(till: Till, refund: Refund) -> object:
    book = till.refund_in_wechats_book(refund)
    assert book is not None
    return book["received_by"]


def test_it_reaches_the_card_under_the_same_number_and_is_over_when_wechat_says_so(
    till: Till, payee: Payee, abnormal: Refund
) -> None:
    assert paid_out(till, abnormal).state == "abnormal"
    assert received_by(till, abnormal) == "ICBC_DEBIT3445"
    till.later(61)
    till.bring(abnormal)
    assert (now_of(abnormal).state, books(payee)) == ("success", {"wx_receivable": 950, "customer_prepaid": -950})
    assert now_of(abnormal).out_refund_no == abnormal.out_refund_no


def test_a_card_with_which_somebody_slept_is_not_paid_to_any_more(
    till: Till, abnormal: Refund, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = import_module("payments.refunds.actions.pay_to_card")
    asleep(monkeypatch, module, "fault_point", lambda: till.later(SIGNATURE_HOLDS.total_seconds() + 2))
    with pytest.raises(CardRefused):
        paid_out(till, abnormal)
    assert (now_of(abnormal).state, received_by(till, abnormal)) == ("abnormal", "支付用户零钱")


def test_the_card_rests_nowhere_and_who_chose_it_is_in_the_log(
    till: Till, abnormal: Refund, admin: psycopg.Connection[Any]
) -> None:
    paid_out(till, abnormal)
    kept = admin.execute(
        "SELECT row_to_json(told)::text FROM audit_entry told UNION ALL SELECT row_to_json(call)::text "
        "FROM channel_call call UNION ALL SELECT row_to_json(refund)::text FROM refund"
    ).fetchall()
    assert not [row for (row,) in kept if NUMBER in row or HOLDER in row or NUMBER[-8:] in row]
    assert any("refund.pay_to_card" in row and "ICBC_DEBIT" in row and "staff:2" in row for (row,) in kept)
    assert NUMBER not in repr(CARD)
    assert HOLDER not in repr(CARD)


def test_without_an_answer_the_question_decides(till: Till, abnormal: Refund) -> None:
    till.fail("error_500_after", "abnormal_refund")
    assert paid_out(till, abnormal).state == "abnormal"
    till.later(61)
    till.bring(abnormal)
    assert now_of(abnormal).state == "success"


def test_what_wechat_refuses_changes_nothing(till: Till, abnormal: Refund) -> None:
    till.comes_to(abnormal, "PROCESSING")
    with pytest.raises(CardRefused) as refusal:
        paid_out(till, abnormal)
    assert refusal.value.details == {"code": "INVALID_REQUEST"}
    assert (now_of(abnormal).state, len(cases(abnormal.out_refund_no))) == ("abnormal", 1)


def test_a_card_that_fails_too_leaves_the_refund_abnormal_for_another_one(till: Till, abnormal: Refund) -> None:
    till.wechat.control("POST", "/switches", {"refund_outcome": "ABNORMAL"})
    paid_out(till, abnormal)
    till.later(61)
    till.bring(abnormal)
    assert now_of(abnormal).state == "abnormal"
    till.wechat.control("POST", "/switches", {"refund_outcome": "SUCCESS"})
    paid_out(till, abnormal, replace(CARD, bank_type="CMB_DEBIT"))
    till.later(61)
    till.bring(abnormal)
    assert (now_of(abnormal).state, received_by(till, abnormal)) == ("success", "CMB_DEBIT3445")


def test_whoever_asked_for_it_does_not_choose_the_card_and_each_choice_has_a_reason(
    till: Till, payment: Payment, abnormal: Refund
) -> None:
    with pytest.raises(OwnRefundToCard):
        paid_out(till, abnormal, by=abnormal.asked_by)
    with pytest.raises(CardReasonMissing):
        pay_to_card(abnormal.key, CARD, till.pay, "staff:2", " ")
    till.later(61)
    with pytest.raises(WrongState):
        paid_out(till, sent(till, payment, 100))


@pytest.mark.parametrize(
    "wrong", [{"bank_type": "工商银行"}, {"account": "6222 0202"}, {"account": "1234567"}, {"holder": ""}]
)
def test_what_is_no_card_is_refused_without_repeating_it(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"^a ") as refusal:
        replace(CARD, **wrong)
    assert NUMBER not in str(refusal.value)


def test_two_requests_for_one_card_are_not_alike_and_say_nothing_of_it() -> None:
    keys = KeyRing({"PUB_KEY_ID_1": generate_private_key(65537, 2048).public_key()})
    one, other = (CARD.body("1900000001", "R1", keys) for _ in range(2))
    assert one != other
    assert NUMBER.encode() not in one
    assert HOLDER.encode() not in one
