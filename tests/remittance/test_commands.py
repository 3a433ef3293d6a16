"""Finance people at a terminal: from WeChat's bill to the treasury's receipt, and what is late becomes a task."""

import uuid
from collections.abc import Callable
from datetime import date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask
from sqlalchemy import select

from app.domain.finance import actions as finance
from app.domain.finance.queries import revenue
from app.domain.finance.rules import Figures
from app.domain.remittance.actions import watch
from app.domain.staff.rules import Actor
from app.domain.tasks.models import Task
from app.kernel import clock
from app.kernel.audit import AuditEntry
from app.kernel.db import transaction
from app.kernel.money import Fen
from payments.bills.models import BillFile
from payments.charges.models import Order, Payment
from payments.parity.queries import differences
from payments.reconciliation.actions import reconcile
from payments.remittance.actions import receive
from simulators.wechat.bill_papers import Traded
from tests.commands import refused, run, told
from tests.payments.months import Shop
from tests.payments.papers import payment
from tests.remittance.scene import DAY, DOCUMENT, Unit
from tests.world import paper, staff

JUNE = (date(2026, 6, 1), date(2026, 6, 30))
SAY = ("--because", "按日上缴")


def traded(paid: Payment, shop: Shop) -> Traded:
    """The line that WeChat's bill has of a payment of ours."""
    with transaction() as session:
        number = session.get_one(Order, paid.order_id).out_trade_no
    return payment(
        paid.paid_fen, owner=shop.owner(clock.business_day(paid.paid_at)), at=paid.paid_at.timestamp(),
        transaction_id=paid.transaction_id, out_trade_no=number,
    )  # fmt: skip


def test_a_day_of_wechats_goes_from_its_bill_to_the_treasury_gross(
    app: Flask, unit: Unit, admin: psycopg.Connection[Any], tmp_path: Path
) -> None:
    shop, day = Shop(admin, unit.payee), unit.today
    lines = [traded(unit.takes(fen), shop) for fen in (100_000, 28_000)]
    unit.move_to(clock.now() + DAY)
    shop.has_bill(day, lines)
    reconcile(shop.channel_id, day)
    finance.check_books()
    maker, checker = staff("finance_maker", district_code="330106"), staff("finance_checker")
    merchant = shop.owner(day).sub_mchid
    assert told(app, maker, "remittance", "due")[0]["ready_fen"] == 0
    told(app, maker, "reconciliation", "propose", merchant, day)
    told(app, checker, "reconciliation", "sign", merchant, day)
    [due] = told(app, maker, "remittance", "due")
    assert (due["due_fen"], due["ready_fen"], due["through"]) == (128_000, 128_000, str(day))
    assert refused(app, checker, "remittance", "propose", unit.payee.name, *SAY) == "not_permitted"
    made = told(app, maker, "remittance", "propose", unit.payee.name, *SAY)
    assert (made["lines"], made["amount_fen"], kept_by_wechat()) == (2, 128_000, 768)
    key = made["key"]
    assert refused(app, maker, "remittance", "approve", key, *SAY) == "not_permitted"
    told(app, checker, "remittance", "approve", key, *SAY)
    told(app, maker, "remittance", "send", key, "--document", DOCUMENT, *SAY)
    [sent] = told(app, checker, "remittance", "list", "--state", "sent")
    assert (sent["document_number"], sent["first"], sent["last"]) == (DOCUMENT, str(day), str(day))
    receipt = ("remittance", "receive", key, "--receipt", "回单0042", "--on", day + DAY, "--fen")
    assert refused(app, checker, *receipt, 127_232, *SAY) == "remittance_sum_differs"
    told(app, checker, *receipt, 128_000, *SAY)
    shown = told(app, checker, "remittance", "show", key)
    assert [each["state"] for each in shown["steps"]] == ["draft", "approved", "sent", "received"]
    assert unit.payee.name in run(app, maker, "remittance", "list").stdout
    assert differences(day) == []


def kept_by_wechat() -> Fen:
    with transaction() as session:
        return sum(session.scalars(select(BillFile.fee_fen)))


def test_a_batch_comes_to_nothing_by_its_maker_or_by_a_checker(app: Flask, unit: Unit) -> None:
    maker, checker = staff("finance_maker"), staff("finance_checker")
    unit.takes(1250)
    unit.next_day()
    for person, verb in ((maker, "withdraw"), (checker, "send-back")):
        key = told(app, maker, "remittance", "propose", unit.payee.key, *SAY)["key"]
        told(app, person, "remittance", verb, key, *SAY)
        assert refused(app, checker, "remittance", "approve", key, *SAY) == "wrong_state"


def test_a_batch_that_the_bank_gave_back_is_due_and_reported_again(app: Flask, unit: Unit, tmp_path: Path) -> None:
    maker, checker = staff("finance_maker"), staff("finance_checker")
    unit.takes(1250)
    day = unit.next_day()
    sent = unit.sent()
    file = tmp_path / "退汇.pdf"
    file.write_bytes(paper().content)
    told_of = ("--paper-number", "退汇0042", "--on", unit.today, "--fen", 1250, "--file", file, *SAY)
    assert refused(app, maker, "remittance", "bounce", sent.key, *told_of) == "not_permitted"
    told(app, checker, "remittance", "bounce", sent.key, *told_of)
    _is_taken_out(app, checker, sent.key, tmp_path / "out.pdf")
    [due] = told(app, maker, "remittance", "due")
    assert (due["due_fen"], due["ready_fen"], due["oldest"]) == (1250, 1250, str(day))
    for _ in range(2):
        told_by_day = {line.by[0]: line.figures for line in revenue(checker, *JUNE, ("day",)).lines}
        first, second = told_by_day[str(day)], told_by_day.get(str(day + DAY), Figures())
        assert (first.earned_fen, first.unremitted_fen) == (1250, 1250)
        assert (second.earned_fen, second.remitted_fen, second.settled_fen, second.unremitted_fen) == (0, 0, 0, 0)
        unit.next_day()
        assert finance.check_books() == 0


def _is_taken_out(app: Flask, by: Actor, batch: uuid.UUID, to: Path) -> None:
    """The bank's paper is listed, and written to a file under the name of who takes it."""
    [listed] = told(app, by, "remittance", "papers")
    assert (listed["batch"], listed["number"], listed["amount_fen"]) == (str(batch), "退汇0042", 1250)
    assert told(app, by, "remittance", "take-paper", batch, "--to", to)["sha256"] == listed["sha256"]
    assert sha256(to.read_bytes()).hexdigest() == listed["sha256"]
    with transaction() as session:
        assert session.scalars(select(AuditEntry.actor).filter_by(action="remittance.take_paper")).all() == [by.label]


def test_a_batch_that_the_treasury_does_not_take_is_due_again_and_its_paper_is_kept(
    app: Flask, unit: Unit, tmp_path: Path
) -> None:
    maker, checker = staff("finance_maker"), staff("finance_checker")
    unit.takes(1250)
    unit.next_day()
    key = unit.approved().key
    file = tmp_path / "退单.pdf"
    file.write_bytes(paper().content)
    told_of = ("--paper-number", "退汇0042", "--on", unit.today, "--file", file, *SAY)
    assert refused(app, maker, "remittance", "refuse", key, *told_of) == "not_permitted"
    assert told(app, checker, "remittance", "refuse", key, *told_of)["state"] == "refused"
    _is_taken_out(app, checker, key, tmp_path / "out.pdf")
    [due] = told(app, maker, "remittance", "due")
    assert (due["due_fen"], due["ready_fen"]) == (1250, 1250)


def test_what_did_not_come_back_has_no_paper_of_the_banks(app: Flask, unit: Unit, tmp_path: Path) -> None:
    unit.takes(1250)
    unit.next_day()
    taking = ("remittance", "take-paper", unit.sent().key, "--to", tmp_path / "out.pdf")
    assert refused(app, staff("finance_maker"), *taking) == "no_remittance_paper"
    assert refused(app, staff("finance_maker", district_code="330108"), *taking) == "not_found"
    assert list(tmp_path.iterdir()) == []


def test_others_see_nothing_of_it(app: Flask, unit: Unit) -> None:
    unit.takes(1250)
    unit.next_day()
    made = unit.proposed()
    stranger = staff("finance_checker", district_code="330108")
    assert told(app, stranger, "remittance", "list") == told(app, stranger, "remittance", "due") == []
    assert refused(app, stranger, "remittance", "show", made.key) == "not_found"
    assert refused(app, stranger, "remittance", "approve", made.key, *SAY) == "not_found"
    assert refused(app, staff("price_officer"), "remittance", "list") == "not_permitted"


def open_tasks() -> list[tuple[str, int, str | None]]:
    with transaction() as session:
        found = select(Task).filter_by(closed_at=None).order_by(Task.kind)
        return [(each.kind, each.detail["fen"], each.district_code) for each in session.scalars(found)]


def test_what_is_due_or_on_its_way_for_too_long_is_a_task_until_it_is_done(
    unit: Unit, at: Callable[[datetime], None]
) -> None:
    staff("finance_maker")
    unit.takes(1250)
    unit.next_day()
    began = clock.now() - DAY
    at(began + timedelta(days=9))
    assert (watch(), open_tasks()) == (0, [])
    at(began + timedelta(days=10))
    assert (watch(), watch(), open_tasks()) == (1, 1, [("remittance_due", 1250, "330106")])
    sent = unit.sent()
    assert (watch(), open_tasks()) == (0, [])
    at(began + timedelta(days=16))
    assert (watch(), open_tasks()) == (1, [("remittance_unreceived", 1250, "330106")])
    receive(sent.key, "回单0042", unit.today, 1250, "staff:2", "国库回单")
    assert (watch(), open_tasks()) == (0, [])


def test_reports_tell_what_was_remitted_and_what_is_still_due_by_open_and_closed_days(unit: Unit) -> None:
    checker = staff("finance_checker")
    unit.takes(1250)
    day = unit.next_day()
    unit.takes(400)
    unit.sent()
    for _ in range(2):
        told_by_day = {line.by[0]: line.figures for line in revenue(checker, *JUNE, ("day",)).lines}
        first, second = told_by_day[str(day)], told_by_day[str(day + DAY)]
        assert (first.earned_fen, first.remitted_fen, first.unremitted_fen) == (1250, 0, 0)
        assert (second.earned_fen, second.remitted_fen, second.unremitted_fen) == (400, 1250, 400)
        unit.next_day()
        assert finance.check_books() == 0


def test_a_remittance_that_the_books_do_not_know_is_found(unit: Unit, admin: psycopg.Connection[Any]) -> None:
    unit.takes(1250)
    day = unit.next_day()
    sent = unit.sent()
    with admin.transaction():
        admin.execute("SET LOCAL session_replication_role = replica")
        admin.execute("UPDATE remittance_batch SET amount_fen = 1249 WHERE id = %s", [sent.id])
    found = {(each.what, each.kind, each.account, each.amount_fen) for each in differences(day)}
    assert ("posted", "remittance", "bank", -1250) in found
    assert ("expected", "remittance", "bank", -1249) in found
