"""退付: what was remitted comes back from the treasury alone, by two persons and two papers; the motorist sees it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, LiteralString

import psycopg
import pytest
from flask import Flask
from psycopg.errors import CheckViolation, IntegrityConstraintViolation
from sqlalchemy import select

from app.domain.finance.queries import revenue
from app.domain.messages.models import Message
from app.domain.refunds import actions as refunds
from app.domain.refunds.queries import own, untold
from app.domain.stays.actions import open_payment
from app.kernel.db import transaction
from app.kernel.states import WrongState
from payments.charges.models import Charge, Payment
from payments.charges.queries import charge, payments_of
from payments.parity.queries import differences
from payments.payees.queries import payee_by_id
from payments.receipts.models import ReceiptRequest
from payments.refunds.actions import approve, check_refund, file, record_paid, record_refusal, sweep
from payments.refunds.actions.ask import PartlyRemitted, TooMuchRefunded
from payments.refunds.actions.treasury import NotTheTreasurys, PaperMissing
from payments.refunds.models import Refund
from payments.refunds.queries import refund
from payments.remittance.actions import approve as approve_batch
from payments.remittance.actions import send_back
from payments.remittance.queries import batch
from tests.commands import refused, told
from tests.finance.scene import earned, kinds_found_right, paid_charge, promised, rejected, went
from tests.payments.test_refund_guard import A_REFUND, FIT, RESERVE
from tests.races import at_once
from tests.remittance.scene import CHECKER, MAKER, SECOND_DOCUMENT, Unit
from tests.remittance.test_commands import JUNE
from tests.world import drive, driver, gate, open_lot, paid, parked_stay, staff

PAPER, VOUCHER = "退付2026-0012", "凭证0007"
Move = Callable[[datetime], None]


@pytest.fixture
def remitted(unit: Unit) -> Payment:
    """12.50 yuan that the treasury has."""
    payment = unit.takes(1250)
    unit.next_day()
    unit.sent()
    return payment


def now_of(found: Refund) -> Refund:
    return refund(found.key)


def never(*_: Any, **__: Any) -> Any:
    raise AssertionError("WeChat is not asked about money that the treasury has")


class NoWeChat:
    """Whoever speaks to it has failed."""

    create_refund = query_refund = never


def test_what_was_remitted_is_claimed_from_the_treasury_and_always_by_two(unit: Unit, remitted: Payment) -> None:
    made = promised(remitted, 300)
    assert (made.way, made.state, made.alone_up_to_fen) == ("treasury", "requested", 0)
    assert unit.books() == {"wx_receivable": 1250, "bank": -1250, "treasury_refund_claim": 300, "refund_payable": -300}
    approve(made.key, "staff:2", "误收属实")
    assert now_of(made).next_check_at is None
    assert (sweep(NoWeChat(), ""), check_refund(made.id, NoWeChat(), "")) == (0, True)  # type: ignore[arg-type]
    assert now_of(made).state == "approved"
    file(made.key, PAPER, MAKER)
    record_paid(made.key, VOUCHER, CHECKER)
    assert (now_of(made).state, now_of(made).document_number, now_of(made).voucher_number) == (
        "success",
        PAPER,
        VOUCHER,
    )
    assert unit.books() == {"wx_receivable": 1250, "bank": -1250}
    assert differences(unit.today) == []
    with pytest.raises(TooMuchRefunded):
        promised(remitted, 951)


def test_no_journal_of_what_is_the_treasurys_that_says_what_happened_is_corrected(unit: Unit) -> None:
    payment = unit.takes(1250)
    unit.next_day()
    unit.bounced(unit.sent())
    unit.sent(SECOND_DOCUMENT)
    made = promised(payment, 300)
    approve(made.key, "staff:2", "误收属实")
    file(made.key, PAPER, MAKER)
    record_paid(made.key, VOUCHER, CHECKER)
    assert kinds_found_right() == {
        "payment", "recognition", "remittance", "remittance_bounce", "refund_request", "refund_by_treasury",
    }  # fmt: skip


def test_what_the_treasury_refuses_stays_where_it_is_and_may_be_asked_for_again(unit: Unit, remitted: Payment) -> None:
    made = promised(remitted, 1250)
    approve(made.key, "staff:2", "误收属实")
    file(made.key, PAPER, MAKER)
    with pytest.raises(PaperMissing):
        record_refusal(made.key, " ", CHECKER)
    record_refusal(made.key, "材料不全", CHECKER)
    assert (now_of(made).state, unit.books()) == ("closed", {"wx_receivable": 1250, "bank": -1250})
    rejected(promised(remitted, 1250))
    assert (unit.books(), differences(unit.today)) == ({"wx_receivable": 1250, "bank": -1250}, [])
    assert promised(remitted, 1250).way == "treasury"


@pytest.mark.parametrize("step", ["nothing", "draft", "returned", "approved", "sent"])
def test_money_is_the_treasurys_from_when_somebody_approved_its_batch(unit: Unit, step: str) -> None:
    payment = unit.takes(1250)
    unit.next_day()
    if step in {"draft", "returned"}:
        made = unit.proposed()
        if step == "returned":
            send_back(made.key, CHECKER, "请核对")
    if step in {"approved", "sent"}:
        (unit.approved if step == "approved" else unit.sent)()
    assert promised(payment, 300).way == ("treasury" if step in {"approved", "sent"} else "channel")


def test_each_step_is_taken_once_in_order_and_has_its_paper(unit: Unit, remitted: Payment) -> None:
    made = promised(remitted, 300)
    with pytest.raises(WrongState):
        file(made.key, PAPER, MAKER)
    with pytest.raises(WrongState):
        record_paid(made.key, VOUCHER, CHECKER)
    approve(made.key, "staff:2", "误收属实")
    with pytest.raises(PaperMissing):
        file(made.key, "", MAKER)
    with pytest.raises(WrongState):
        record_paid(made.key, VOUCHER, CHECKER)
    file(made.key, PAPER, MAKER)
    record_paid(made.key, VOUCHER, CHECKER)
    with pytest.raises(WrongState):
        file(made.key, PAPER, MAKER)
    with pytest.raises(WrongState):
        record_paid(made.key, VOUCHER, CHECKER)


def test_what_goes_back_through_wechat_is_not_filed(unit: Unit) -> None:
    made = promised(unit.takes(1250), 300)
    for deed in (file, record_paid, record_refusal):
        with pytest.raises(NotTheTreasurys):
            deed(made.key, "1", MAKER)


def test_what_was_never_earned_goes_back_as_it_came_and_the_rest_is_asked_for_apart(unit: Unit) -> None:
    payment = paid_charge(unit.payee, 1250)
    back = promised(payment, 250)
    earned(payment)
    unit.next_day()
    unit.sent()
    went(back, "close")
    with pytest.raises(PartlyRemitted) as refusal:
        promised(payment, 300)
    assert refusal.value.details == {"never_earned_fen": 250}
    assert (promised(payment, 250).way, promised(payment, 50).way) == ("channel", "treasury")
    assert differences(unit.today) == []


def test_a_refund_and_the_approval_of_its_batch_at_once_agree_on_whose_the_money_is(app: Flask, unit: Unit) -> None:
    payment = unit.takes(1250)
    unit.next_day()
    made = unit.proposed()
    asked = lambda: promised(payment, 300)  # noqa: E731
    assert at_once(app, asked, lambda: approve_batch(made.key, CHECKER, "已核对")) == ["done", "done"]
    with transaction() as session:
        way = session.scalars(select(Refund.way).filter_by(payment_id=payment.id)).one()
    assert (batch(made.key).state, unit.books()["refund_payable"]) == ("approved", -300)
    assert ("treasury_refund_claim" in unit.books()) == (way == "treasury")


def run(url: str, *statements: LiteralString, **words: object) -> None:
    with psycopg.connect(url) as connection, connection.transaction():
        for each in statements:
            connection.execute(each, words)


@pytest.mark.parametrize("way", ["channel", "treasury"])
def test_no_hand_sends_a_refund_the_other_way(unit: Unit, program: str, remitted: Payment, way: LiteralString) -> None:
    kept = unit.takes(1250)
    wrong = remitted if way == "channel" else kept
    by_hand = A_REFUND.replace("on_moved)", "on_moved, way)", 1).replace("0, 'job'", f"0, 'job', '{way}'", 1)
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        run(program, by_hand, RESERVE, payment=wrong.id, **FIT)
    assert refusal.value.diag.constraint_name == "a_refund_goes_the_way_of_its_money"
    run(program, by_hand, RESERVE, payment=(kept if way == "channel" else remitted).id, **FIT)


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("UPDATE refund SET state = 'submitting', body = 'x'", "a_refund_takes_the_steps_of_its_way"),
        ("UPDATE refund SET body = 'x'", "a_refund_that_was_sent_says_what"),
        ("UPDATE refund SET state = 'filed'", "a_filed_refund_has_its_document"),
        ("UPDATE refund SET document_number = 'x'", "a_filed_refund_has_its_document"),
        ("UPDATE refund SET voucher_number = 'x'", "a_treasury_pays_under_a_voucher"),
    ],
)
def test_a_claim_on_the_treasury_takes_no_step_of_wechats_and_none_without_its_paper(
    program: str, remitted: Payment, change: LiteralString, constraint: str
) -> None:
    approve(promised(remitted, 300).key, "staff:2", "误收属实")
    with pytest.raises(CheckViolation) as refusal:
        run(program, change)
    assert refusal.value.diag.constraint_name == constraint


def test_nobody_lets_a_claim_on_the_treasury_go_alone(program: str, owner: str, remitted: Payment) -> None:
    promised(remitted, 300)
    with pytest.raises(CheckViolation) as refusal:
        run(program, "UPDATE refund SET state = 'approved'")
    assert refusal.value.diag.constraint_name == "a_large_refund_needs_two_persons"
    with pytest.raises(IntegrityConstraintViolation, match="terms of a refund are fixed"):
        run(owner, "UPDATE refund SET way = 'channel'")


def test_what_the_treasury_paid_is_told_apart_from_what_wechat_gave_back(unit: Unit, remitted: Payment) -> None:
    made = promised(remitted, 300)
    approve(made.key, "staff:2", "误收属实")
    file(made.key, PAPER, MAKER)
    record_paid(made.key, VOUCHER, CHECKER)
    told_of = revenue(staff("finance_checker"), *JUNE, ("payee",)).total
    assert (told_of.earned_fen, told_of.refunded_fen, told_of.repaid_fen, told_of.remitted_fen) == (950, 0, 300, 1250)
    with transaction() as session:
        request = session.scalars(select(ReceiptRequest).filter_by(charge_id=remitted.charge_id)).one()
    assert request.next_check_at is not None, "the receipt is looked at again"


def stayed(evening: datetime, at: Move) -> tuple[Any, Charge]:
    """A car that stood for an hour in an organ's lot, paid 3 yuan and left."""
    lot, who = open_lot(kind="organ"), driver()
    stay = parked_stay(who, gate(lot))
    at(evening + timedelta(minutes=59))
    owed = open_payment(who.id, stay.key)
    paid(owed)
    drive(gate(lot, "out"), who.plate)
    return who, charge(owed)


def test_a_motorist_follows_a_claim_that_finance_people_bring_forward_at_a_terminal(
    app: Flask, evening: datetime, at: Move, admin: psycopg.Connection[Any]
) -> None:
    who, of = stayed(evening, at)
    unit = Unit(admin, at, payee_by_id(of.payee_id))
    unit.next_day()
    unit.sent()
    maker, checker = staff("finance_maker"), staff("finance_checker")
    made = refunds.ask(maker, payments_of(of.id)[0].key, 100, "charged_wrongly", "出口道闸离线，多计时长")
    refunds.approve(checker, made.key, "已核对")
    assert refused(app, checker, "refunds", "file", made.key, "--document", PAPER) == "not_permitted"
    for person, *words in (
        (maker, "file", made.key, "--document", PAPER), (checker, "record-paid", made.key, "--voucher", VOUCHER),
    ):  # fmt: skip
        assert untold(10) == [made.id]
        assert refunds.tell_forgotten() == 1
        told(app, person, "refunds", *words)
    refunds.tell_of(made.id)
    with transaction() as session:
        kinds = select(Message.kind).filter_by(motorist_id=who.id).order_by(Message.id)
        heard = [kind for kind in session.scalars(kinds) if kind.startswith("refund_")]
    assert heard == ["refund_approved", "refund_filed", "refund_success"]
    shown = own(now_of(made))
    assert (shown.way, [each.state for each in shown.steps]) == (
        "treasury",
        ["requested", "approved", "filed", "success"],
    )
    [listed] = told(app, checker, "refunds", "list", "--state", "success")
    assert (listed["way_text"], listed["document_number"], listed["voucher_number"]) == ("财政退付", PAPER, VOUCHER)


def test_a_refused_claim_is_told_as_the_treasurys_word(app: Flask, evening: datetime, at: Move, admin: Any) -> None:
    who, of = stayed(evening, at)
    unit = Unit(admin, at, payee_by_id(of.payee_id))
    unit.next_day()
    unit.sent()
    made = refunds.ask(staff("finance_maker"), payments_of(of.id)[0].key, 100, "charged_wrongly", "多计时长")
    checker = staff("finance_checker")
    refunds.approve(checker, made.key, "已核对")
    told(app, staff("finance_maker"), "refunds", "file", made.key, "--document", PAPER)
    told(app, checker, "refunds", "record-refusal", made.key, "--because", "材料不全")
    refunds.tell_of(made.id)
    with transaction() as session:
        titles = select(Message.title).filter_by(motorist_id=who.id, kind="refund_closed")
        assert session.scalars(titles).one() == "财政未予退付"
