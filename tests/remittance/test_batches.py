"""What is due leaves in batches: all of it, gross, of signed-off days, by two persons, once, and is receipted."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.ids import new_key
from app.kernel.money import Fen
from app.kernel.states import WrongState
from payments.bank.actions import import_statement
from payments.ledger.actions import post
from payments.ledger.rules import Line
from payments.parity.actions import accept_correction, correct
from payments.parity.queries import differences
from payments.payees.models import Payee
from payments.reconciliation.rules import fee_lines, settlement_lines
from payments.remittance.actions import (
    approve,
    bounce,
    find_departures,
    propose,
    receive,
    refuse,
    send,
    send_back,
    withdraw,
)  # fmt: skip
from payments.remittance.actions.bounce import OtherSumReturned, ReturnKnown, ReturnOutOfTime, ReturnUnfit
from payments.remittance.actions.decide import NotYourBatch
from payments.remittance.actions.propose import BatchUnderWay, NotForTreasury, NothingDue
from payments.remittance.actions.receive import OtherSumReceived, ReceiptKnown, ReceiptUnfit
from payments.remittance.actions.refuse import RefusalKnown, RefusalUnfit
from payments.remittance.actions.send import DocumentKnown, DocumentUnfit
from payments.remittance.actions.steps import OwnBatch, ReasonMissing
from payments.remittance.models import RemittanceBatch, RemittanceLine, RemittanceReceipt
from payments.remittance.queries import NoSuchBatch, batch, batches, dues, overdue, steps_of, unreceived
from payments.remittance.rules import bounced_lines, is_document_number, remitted_lines
from tests.finance.scene import paid_charge, promised, rejected, went
from tests.payments.world import cases
from tests.remittance.scene import CHECKER, DAY, DOCUMENT, MAKER, SECOND_DOCUMENT, Unit, evidence
from tests.world import payee


def lines_of(found: RemittanceBatch) -> list[int]:
    """The sums of a batch's lines, in the order of their postings."""
    with transaction() as session:
        mine = select(RemittanceLine.amount_fen).filter_by(batch_id=found.id).order_by(RemittanceLine.posting_id)
        return list(session.scalars(mine))


def statement(*lines: str) -> bytes:
    """A bank's table whose opening balance is 10,000 yuan; each line says what left and what the bank wrote."""
    held, rows = 1_000_000, ["记账日期,收入,支出,余额,附言", "2026-06-11,,,10000.00,期初余额"]
    for each in lines:
        left, words = each.split("|")
        held -= round(float(left) * 100)
        rows.append(f"2026-06-11,,{left},{held / 100:.2f},{words}")
    return "\n".join(rows).encode()


def imported(unit: Unit, *lines: str) -> None:
    import_statement(unit.payee.id, "csv", "571900000000009", statement(*lines), MAKER)


def test_all_that_is_due_of_signed_off_days_leaves_in_one_batch_and_never_again(unit: Unit) -> None:
    unit.takes(1250)
    unit.takes(800)
    paid_charge(unit.payee, 999)
    unit.next_day()
    unit.takes(400)
    made = unit.proposed()
    assert (made.state, made.lines, made.amount_fen, lines_of(made)) == ("draft", 2, 2050, [1250, 800])
    assert (made.level, made.item_code, made.treasury_target) == ("district", "示例项目", "示例区财政专户")
    approve(made.key, CHECKER, "已核对")
    sent = send(made.key, DOCUMENT, MAKER, "已缴")
    assert (unit.books()["bank"], unit.books()["due_to_treasury"]) == (-2050, -400)
    with pytest.raises(NothingDue):
        unit.proposed()
    unit.next_day()
    assert (unit.proposed().amount_fen, batch(sent.key).state) == (400, "sent")


@pytest.mark.parametrize(("kind", "lines"), [("remittance", remitted_lines), ("remittance_bounce", bounced_lines)])
def test_what_mends_a_remittance_that_never_was_makes_nothing_due(
    kind: str, lines: Callable[[Fen], list[Line]], unit: Unit
) -> None:
    unit.takes(1000)
    phantom = (kind, f"remittance:{new_key()}")
    post(*phantom, unit.payee.id, clock.now(), lines(700))
    accept_correction(correct(*phantom, MAKER, "手工凭证无依据").key, CHECKER, "已核")
    assert [each.due_fen for each in dues()] == [1000]
    unit.next_day()
    assert ([each.ready_fen for each in dues()], unit.sent().amount_fen) == ([1000], 1000)
    assert (unit.books(), dues()) == ({"wx_receivable": 1000, "bank": -1000}, [])


def test_a_day_that_nobody_signed_off_is_not_remitted_and_holds_back_no_other(unit: Unit) -> None:
    unit.takes(1250)
    unsigned = unit.next_day(signed=False)
    unit.takes(400)
    unit.next_day()
    [due] = dues()
    assert (due.due_fen, due.ready_fen, due.oldest) == (1650, 400, unsigned)
    assert unit.sent().amount_fen == 400
    [due] = dues()
    assert (due.due_fen, due.ready_fen, due.oldest) == (1250, 0, unsigned)
    assert [(each.fen, each.since) for each in overdue(unsigned)] == [(1250, unsigned)]
    with pytest.raises(NothingDue):
        unit.proposed()
    unit.signs(unsigned)
    unit.takes(70)
    unit.next_day()
    made = unit.sent(SECOND_DOCUMENT)
    assert (made.amount_fen, lines_of(made), dues()) == (1320, [1250, 70], [])
    assert [(each.first, each.last) for each in batches()] == [(unsigned, unit.today - DAY), (unsigned + DAY,) * 2]
    assert [each.left_out for each in batches()] == [str(unsigned + DAY), ""]


def test_what_the_bank_gave_back_is_due_again_and_leaves_under_another_document(unit: Unit) -> None:
    unit.takes(1250)
    day = unit.next_day()
    sent = unit.sent()
    with pytest.raises(ReturnUnfit):
        bounce(sent.key, " ", unit.today, 1250, evidence(), CHECKER, "账号有误")
    for returned_on in (unit.today - DAY, unit.today + DAY):
        with pytest.raises(ReturnOutOfTime) as out_of_time:
            bounce(sent.key, "退汇0042", returned_on, 1250, evidence(), CHECKER, "账号有误")
        assert out_of_time.value.details == {"sent_on": unit.today}
    with pytest.raises(OtherSumReturned):
        bounce(sent.key, "退汇0042", unit.today, 1249, evidence(), CHECKER, "账号有误")
    with pytest.raises(OwnBatch):
        bounce(sent.key, "退汇0042", unit.today, 1250, evidence(), MAKER, "账号有误")
    assert unit.bounced(sent).state == "bounced"
    assert (unit.books()["due_to_treasury"], unit.books().get("bank")) == (-1250, None)
    assert [(each.fen, each.since) for each in overdue(day)] == [(1250, day)]
    again = unit.approved()
    assert (again.amount_fen, lines_of(again)) == (1250, [1250])
    with pytest.raises(DocumentKnown):
        send(again.key, DOCUMENT, MAKER, "已缴")
    send(again.key, SECOND_DOCUMENT, MAKER, "已缴")
    assert (unit.books()["bank"], dues(), differences(day)) == (-1250, [], [])
    assert [each.state for each in steps_of(sent.id)] == ["draft", "approved", "sent", "bounced"]
    with pytest.raises(ReturnKnown):
        unit.bounced(again)
    with pytest.raises(WrongState):
        unit.bounced(sent, "退汇0043")


def test_what_left_the_bank_may_still_come_back(unit: Unit) -> None:
    unit.takes(1250)
    unit.next_day()
    sent = unit.sent()
    imported(unit, f"12.50|非税 {DOCUMENT} 国库")
    assert batch(sent.key).state == "left"
    unit.bounced(sent)
    assert [each.fen for each in overdue(unit.today)] == [1250]
    unit.takes(400)
    unit.next_day()
    assert unit.sent(SECOND_DOCUMENT).amount_fen == 1650


def test_nothing_bounces_that_was_not_sent(unit: Unit) -> None:
    unit.takes(1250)
    unit.next_day()
    with pytest.raises(WrongState):
        unit.bounced(unit.approved())


def test_money_that_came_back_from_the_bank_goes_back_as_it_came(unit: Unit) -> None:
    payment = unit.takes(1250)
    unit.next_day()
    unit.bounced(unit.sent())
    went(promised(payment, 300), "succeed")
    unit.next_day()
    assert unit.sent(SECOND_DOCUMENT).amount_fen == 950


def test_a_fiscal_remittance_is_gross_whatever_wechat_kept(unit: Unit) -> None:
    unit.takes(1000)
    post("channel_fee", "fees:test", unit.payee.id, clock.now(), fee_lines(6))
    post("settlement", "settlement:test", unit.payee.id, clock.now(), settlement_lines(994))
    unit.next_day()
    assert unit.sent().amount_fen == 1000
    assert unit.books() == {"bank": -6, "wx_fee": 6}


def test_what_went_back_before_it_was_remitted_makes_the_next_batch_smaller_and_never_negative(unit: Unit) -> None:
    payment = unit.takes(1250)
    unit.next_day()
    went(promised(payment, 300), "succeed")
    assert unit.sent().amount_fen == 1250
    unit.next_day()
    with pytest.raises(NothingDue):
        unit.proposed()
    unit.takes(300)
    unit.next_day()
    with pytest.raises(NothingDue):
        unit.proposed()
    unit.takes(500)
    unit.next_day()
    made = unit.proposed()
    assert (made.amount_fen, lines_of(made)) == (500, [-300, 300, 500])


def test_what_was_asked_back_and_refused_is_due_again(unit: Unit) -> None:
    payment = unit.takes(1250)
    asked = promised(payment, 300, alone_up_to_fen=0)
    unit.next_day()
    assert unit.sent().amount_fen == 950
    rejected(asked)
    unit.next_day()
    assert unit.proposed().amount_fen == 300


def test_nobody_decides_on_the_own_batch_and_each_step_says_who_and_why(unit: Unit) -> None:
    unit.takes(1250)
    unit.next_day()
    made = unit.proposed()
    for decide in (approve, send_back):
        with pytest.raises(OwnBatch):
            decide(made.key, MAKER, "同意")
    with pytest.raises(NotYourBatch):
        withdraw(made.key, CHECKER, "撤回")
    with pytest.raises(ReasonMissing):
        approve(made.key, CHECKER, " ")
    with pytest.raises(WrongState):
        send(made.key, DOCUMENT, MAKER, "已缴")
    approve(made.key, CHECKER, "已核对")
    for decide in (send_back, approve):
        with pytest.raises(WrongState):
            decide(made.key, CHECKER, "退回")
    told = [(each.state, each.by, each.because) for each in steps_of(made.id)]
    assert told == [("draft", MAKER, "按日上缴"), ("approved", CHECKER, "已核对")]


@pytest.mark.parametrize(
    "end", [lambda key: send_back(key, CHECKER, "请核对"), lambda key: withdraw(key, MAKER, "待并入")]
)
def test_what_a_batch_held_is_due_again_when_it_came_to_nothing(unit: Unit, end: object) -> None:
    unit.takes(1250)
    unit.next_day()
    made = unit.proposed()
    end(made.key)  # type: ignore[operator]
    assert unit.proposed().amount_fen == 1250


def refused(made: RemittanceBatch, number: str = "退单0007", by: str = CHECKER) -> RemittanceBatch:
    return refuse(made.key, number, clock.business_day(clock.now()), evidence(), by, "项目编码已停用")


def test_what_the_treasury_does_not_take_is_due_again_and_holds_back_no_later_batch(unit: Unit) -> None:
    payment = unit.takes(1250)
    unit.next_day()
    made = unit.approved()
    assert (refused(made).state, unit.books()["due_to_treasury"]) == ("refused", -1250)
    assert [(each.state, each.by) for each in steps_of(made.id)][-1] == ("refused", CHECKER)
    went(promised(payment, 250), "succeed")
    unit.takes(400)
    unit.next_day()
    assert unit.sent().amount_fen == 1400
    assert differences(unit.today - DAY) == []


def test_a_refusal_has_its_paper_another_persons_word_and_comes_before_sending(unit: Unit) -> None:
    unit.takes(1250)
    unit.next_day()
    made = unit.proposed()
    with pytest.raises(WrongState):
        refused(made)
    approve(made.key, CHECKER, "已核对")
    with pytest.raises(OwnBatch):
        refused(made, by=MAKER)
    with pytest.raises(RefusalUnfit):
        refused(made, " ")
    for day in (unit.today + DAY, unit.today - DAY):
        with pytest.raises(RefusalUnfit):
            refuse(made.key, "退单0007", day, evidence(), CHECKER, "项目编码已停用")
    refused(made)
    again = unit.approved()
    with pytest.raises(RefusalKnown):
        refused(again)
    send(again.key, DOCUMENT, MAKER, "已缴")
    with pytest.raises(WrongState):
        refused(again, "退单0008")


def test_one_batch_of_a_payee_is_under_way_at_a_time(unit: Unit) -> None:
    unit.takes(1250)
    unit.next_day()
    unit.approved()
    unit.takes(100)
    unit.next_day()
    with pytest.raises(BatchUnderWay):
        unit.proposed()


def test_an_enterprises_money_is_not_remitted(unit: Unit) -> None:
    own: Payee = payee("enterprise")
    with pytest.raises(NotForTreasury):
        propose(own.id, MAKER, "按日上缴")
    assert dues() == []
    with pytest.raises(NoSuchBatch):
        batch(new_key())


def test_a_document_pays_one_batch_in(unit: Unit) -> None:
    told = ("33010620260610000001", "JK-2026-000123", "12345", "缴款123456", "")
    assert [is_document_number(each) for each in told] == [True, True, False, False, False]
    for number in (DOCUMENT, SECOND_DOCUMENT):
        unit.takes(1250)
        unit.next_day()
        made = unit.approved()
        with pytest.raises(DocumentUnfit):
            send(made.key, "第一号", MAKER, "已缴")
        if number != DOCUMENT:
            with pytest.raises(DocumentKnown):
                send(made.key, DOCUMENT, MAKER, "已缴")
        send(made.key, number, MAKER, "已缴")


def test_the_bank_shows_that_a_batch_left_by_its_document_and_its_very_sum(unit: Unit) -> None:
    unit.takes(1250)
    unit.next_day()
    sent = unit.sent()
    imported(unit, f"12.50|代缴{DOCUMENT}9", "12.50|账户管理费")
    assert batch(sent.key).state == "sent"
    imported(unit, f"12.50|非税 {DOCUMENT} 国库")
    assert batch(sent.key).state == "left"
    assert (steps_of(sent.id)[-1].by, find_departures()) == ("platform", 0)
    with transaction() as session:
        proof = session.scalars(select(RemittanceReceipt).filter_by(batch_id=sent.id)).one()
        assert (proof.amount_fen, proof.left_fen, proof.line) == (1250, -1250, 1)


def test_what_left_has_arrived_when_the_treasury_says_so_and_not_before(unit: Unit) -> None:
    unit.takes(1250)
    unit.next_day()
    sent = unit.sent()
    imported(unit, f"12.50|非税 {DOCUMENT} 国库")
    assert [each.batch_id for each in unreceived(clock.now() + DAY)] == [sent.id]
    receive(sent.key, "回单0042", unit.today, 1250, CHECKER, "国库回单")
    assert unreceived(clock.now() + DAY) == []
    [shown] = batches(state="received")
    assert (str(shown.left_on), shown.received_on) == ("2026-06-11", unit.today)


@pytest.mark.parametrize("lines", [("12.49|{}",), ("12.50|{}", "12.50|{}")], ids=["another sum", "twice"])
def test_what_the_bank_tells_otherwise_is_a_case_and_no_receipt(unit: Unit, lines: tuple[str, ...]) -> None:
    unit.takes(1250)
    unit.next_day()
    sent = unit.sent()
    imported(unit, *(each.format(DOCUMENT) for each in lines))
    assert batch(sent.key).state == "sent"
    assert [each.kind for each in cases(str(sent.key))] == ["remittance_differs_at_bank"]


def test_the_treasurys_own_receipt_is_for_the_very_sum_and_one_batch(unit: Unit) -> None:
    unit.takes(1250)
    unit.next_day()
    sent = unit.sent()
    with pytest.raises(OtherSumReceived) as refusal:
        receive(sent.key, "回单0042", unit.today, 1249, CHECKER, "国库回单")
    assert refusal.value.details == {"batch_fen": 1250, "receipt_fen": 1249}
    for number, day in ((" ", unit.today), ("回单0042", unit.today + DAY)):
        with pytest.raises(ReceiptUnfit):
            receive(sent.key, number, day, 1250, CHECKER, "国库回单")
    assert receive(sent.key, "回单0042", unit.today, 1250, CHECKER, "国库回单").state == "received"
    unit.takes(1250)
    unit.next_day()
    other = unit.sent(SECOND_DOCUMENT)
    with pytest.raises(ReceiptKnown):
        receive(other.key, "回单0042", unit.today, 1250, CHECKER, "国库回单")
    assert batch(other.key).state == "sent"


def test_what_is_late_is_known_by_its_day(unit: Unit) -> None:
    unit.takes(1250)
    day = unit.next_day()
    assert [(each.fen, each.since) for each in overdue(day)] == [(1250, day)]
    assert overdue(day - DAY) == []
    unit.approved()
    assert [each.fen for each in overdue(day)] == [1250], "what is not sent is still due"


def test_what_is_sent_is_due_no_more_and_late_when_no_treasury_has_it(unit: Unit) -> None:
    unit.takes(1250)
    day, before = unit.next_day(), clock.now()
    sent = unit.sent()
    assert (overdue(day), unreceived(before)) == ([], [])
    assert [(each.batch_id, each.fen) for each in unreceived(before + DAY)] == [(sent.id, 1250)]
