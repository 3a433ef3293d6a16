"""SIGKILL while a refund is sent and while WeChat's word of it is written down; then it is taken up again."""

import signal
from collections.abc import Mapping

import pytest

from app.settings import Settings
from payments.charges.models import Payment
from payments.payees.models import Payee
from payments.refunds.actions import pay_to_card
from payments.refunds.queries import journals_of_refund
from payments.wechat import BankCard
from tests.mortals import born
from tests.payments.mortal import bring_refund, pay_one_to_card
from tests.payments.servers import ROOT, Door, MortalDoor
from tests.payments.world import Till, books, cases, now_of, promised, reserved

OF_SENDING = {"refund.intended": False, "refund.answered": True}
OF_CARDS = {"card.intended": False, "card.answered": True}
OF_NOTICES = ("refund.after_move", "refund.before_commit", "refund.after_commit")
CARD = BankCard("ICBC_DEBIT", "6222020200112233445", "示例持卡人")
DONE = {"wx_receivable": 950, "customer_prepaid": -950}


def test_every_fault_point_of_a_refund_is_killed_here() -> None:
    sources = (ROOT / "payments/refunds/actions").glob("*.py")
    lines = [line for each in sources for line in each.read_text().splitlines()]
    assert {line.split('"')[1] for line in lines if "fault_point(" in line} == {*OF_SENDING, *OF_CARDS, *OF_NOTICES}


@pytest.mark.parametrize("point", OF_SENDING)
def test_a_refund_whose_process_died_goes_again_under_the_same_number_and_only_once(
    till: Till, payee: Payee, payment: Payment, environment: Mapping[str, str], point: str
) -> None:
    made = promised(payment, 300)
    dying = born({**environment, "FAULT_PLAN": point}, bring_refund, made.id)
    dying.join()
    assert dying.exitcode == -signal.SIGKILL
    assert (now_of(made).state, now_of(made).next_check_at is None) == ("submitting", False)
    assert (till.refund_in_wechats_book(made) is not None) is OF_SENDING[point]
    till.later(61)
    till.bring(made)
    till.later(61)
    till.bring(made)
    assert (now_of(made).state, reserved(payment), books(payee)) == ("success", 300, DONE)
    assert (len(journals_of_refund(made)), cases(made.out_refund_no)) == (2, [])


@pytest.mark.parametrize("point", OF_CARDS)
def test_a_refund_whose_process_died_over_a_card_is_asked_about_and_reaches_one_card_only(
    till: Till, payee: Payee, payment: Payment, environment: Mapping[str, str], point: str
) -> None:
    made = promised(payment, 300)
    till.bring(made)
    till.comes_to(made, "ABNORMAL")
    till.later(61)
    till.bring(made)
    till.wechat.control("POST", "/switches", {"refund_outcome": "SUCCESS"})
    dying = born({**environment, "FAULT_PLAN": point}, pay_one_to_card, made.key, CARD)
    dying.join()
    assert dying.exitcode == -signal.SIGKILL
    assert (now_of(made).state, now_of(made).next_check_at is None) == ("abnormal", False)
    till.later(61)
    till.bring(made)
    if not OF_CARDS[point]:
        assert now_of(made).state == "abnormal"
        assert pay_to_card(made.key, CARD, till.pay, "staff:2", "原卡已注销").state == "abnormal"
        till.later(61)
        till.bring(made)
    assert (now_of(made).state, reserved(payment), books(payee)) == ("success", 300, DONE)


@pytest.mark.parametrize("point", OF_NOTICES)
def test_no_fen_is_lost_or_doubled_when_the_process_dies_over_a_notice(
    till: Till, payee: Payee, payment: Payment, environment: Mapping[str, str], settings: Settings, point: str
) -> None:
    made = promised(payment, 300)
    till.bring(made)
    told = till.comes_to(made, "SUCCESS")
    with MortalDoor(environment, Door.port_of(settings), point) as mortal:
        assert till.deliver(told) == [0]
        mortal.process.join()
        assert mortal.process.exitcode == -signal.SIGKILL
    assert now_of(made).state == ("success" if point == "refund.after_commit" else "processing")
    with Door(till.app, settings):
        assert till.deliver(told) == [200]
    assert (now_of(made).state, books(payee), len(journals_of_refund(made))) == ("success", DONE, 2)
