"""Receipts by e-mail: sent over a socket, tried again while it makes sense, and the address gone with the last try."""

import io
import signal
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from flask import Flask
from psycopg.errors import CheckViolation, ForeignKeyViolation, InsufficientPrivilege, IntegrityConstraintViolation
from pypdf import PdfReader
from sqlalchemy import select

from app.adapters.mail import Letter, MailServer, Outcome
from app.adapters.outbound import Reach
from app.domain.policies.actions import lay_down
from app.domain.receipts.actions import ask_for_due_mails, ask_mail, bring_mail
from app.domain.receipts.actions.ask_mail import AddressUnfit, MailsSpent, NotIssuedYet, TooManyInAMail
from app.domain.receipts.models import ReceiptMail, ReceiptMailLine
from app.domain.receipts.queries import NoSuchMail, own_mail
from app.domain.tasks.models import Task
from app.jobs.worker import work
from app.kernel import clock as kernel_clock
from app.kernel.crypto import blind_index
from app.kernel.db import transaction
from app.kernel.queue import enqueue
from app.wiring import wiring
from payments.payees.models import Payee
from payments.receipts.actions import ask_invoice, issue_due, plan_due
from payments.receipts.queries import NoSuchReceipt
from payments.receipts.rules.services import Service
from tests.conftest import MovableClock
from tests.ground import Run
from tests.house.test_personal_data import every_row
from tests.mortals import born
from tests.payments.platforms import Stands
from tests.races import at_once
from tests.receipts.mortal import send_mail
from tests.receipts.post import PostOffice
from tests.receipts.scene import has_paid, inbox, issued, keys_of, receipt_of
from tests.world import Driver, driver

TO = "caiwu@example.com.cn"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
REFUSED = (
    "receipt_mail_refused",
    "您申请发送的1张票据未能送达，收件邮箱拒收。请核对邮箱地址后重新申请，或在“我的票据”中下载。",
)
GIVEN_UP = (
    "receipt_mail_given_up",
    "您申请发送的1张票据未能在限定时间内送达，邮箱地址已删除。请稍后重新申请，或在“我的票据”中下载。",
)


@pytest.fixture
def payer(organ: Payee, platforms: Stands, post: PostOffice) -> Driver:
    """A motorist with one fiscal bill."""
    who = driver()
    has_paid(who, organ)
    issued(platforms)
    assert post.letters() == []
    return who


def asked(who: Driver, to: str = TO) -> ReceiptMail:
    return ask_mail(who.id, keys_of(who), to)


def worked(app: Flask) -> None:
    """Workers do the jobs that are left; what a sweeper would leave first is left."""
    ask_for_due_mails()
    work(app, wiring().settings, until_empty=True)


def told(mail: ReceiptMail) -> tuple[str, int, int | None, bool]:
    """State, tries, the last code, and whether the address is still there."""
    with transaction() as session:
        now = session.get_one(ReceiptMail, mail.id)
        return now.state, now.attempts, now.smtp_code, now.address is not None


def open_tasks() -> list[str]:
    with transaction() as session:
        return list(session.scalars(select(Task.kind).filter_by(closed_at=None)))


def news_of_mails(who: Driver) -> list[tuple[str, str]]:
    return [each for each in inbox(who) if each[0].startswith("receipt_mail")]


def ids(post: PostOffice) -> list[str]:
    return [each["headers"]["message-id"] for each in post.letters()]


def test_a_bill_arrives_as_pdf_and_then_nobody_knows_the_address(payer: Driver, app: Flask, post: PostOffice) -> None:
    mail = asked(payer)
    assert told(mail) == ("due", 0, None, True)
    worked(app)
    assert told(mail) == ("delivered", 1, None, False)
    [letter] = post.letters()
    assert (letter["to"], letter["tls"][:3]) == ([TO], "TLS")
    assert letter["headers"]["subject"] == "停车财政电子票据（1张）"
    assert "12.50元" in letter["text"]
    [enclosed] = post.opened(letter["number"]).iter_attachments()
    assert enclosed.get_content_type() == "application/pdf"
    [page] = PdfReader(io.BytesIO(enclosed.get_content())).pages
    assert "非税收入统一票据" in page.extract_text()
    assert news_of_mails(payer) == []


def test_the_address_lies_readable_nowhere_and_stands_in_no_log(
    payer: Driver, app: Flask, post: PostOffice, admin: psycopg.Connection[Any], caplog: pytest.LogCaptureFixture
) -> None:
    post.fail("defer", "rcpt")
    mail = asked(payer)
    for _ in ("before a try", "after it"):
        for table, row in every_row(admin):
            assert not [part for part in (TO, "caiwu", TO.encode().hex()) if part in row], table
        worked(app)
    post.fail("reject", "rcpt")
    with transaction() as session:
        session.get_one(ReceiptMail, mail.id).next_check_at = kernel_clock.now()
    worked(app)
    assert told(mail)[0] == "refused"
    assert "job_done" in caplog.text
    assert "caiwu" not in caplog.text
    assert "caiwu" not in "".join(body for _, body in inbox(payer))


def test_several_receipts_go_in_one_letter_and_an_invoice_for_two_stays_once(
    organ: Payee, enterprise: Payee, platforms: Stands, post: PostOffice, app: Flask
) -> None:
    who = driver()
    bill, *together = has_paid(who, organ), has_paid(who, enterprise, 600), has_paid(who, enterprise, 700)
    issued(platforms)
    ask_invoice(who.id, keys_of(who)[:2], None)
    issued(platforms)
    assert len({receipt_of(each).id for each in together}) == 1
    asked(who)
    worked(app)
    [letter] = post.letters()
    assert letter["headers"]["subject"] == "停车财政电子票据、数电发票（2张）"
    fiscal, invoice = receipt_of(bill), receipt_of(together[0])
    assert [each["name"] for each in letter["attachments"]] == [
        f"fiscal_ebill-{fiscal.code}{fiscal.number}.pdf",
        f"tax_invoice-{invoice.number}.pdf",
    ]
    assert "13.00元" in letter["text"]


def test_no_plate_stands_outside_of_the_pdf(organ: Payee, platforms: Stands, post: PostOffice, app: Flask) -> None:
    who = driver()
    has_paid(who, organ)
    plan_due(lambda _: Service(f"测试车场 {who.plate.characters}"))
    issue_due(platforms.clients)
    asked(who)
    worked(app)
    [letter] = post.letters()
    [enclosed] = post.opened(letter["number"]).iter_attachments()
    assert who.plate.characters[1:] in PdfReader(io.BytesIO(enclosed.get_content())).pages[0].extract_text()
    assert who.plate.characters[1:] not in "".join([letter["text"], *letter["headers"].values()])
    assert who.plate.characters[1:] not in letter["attachments"][0]["name"]


def test_what_is_deferred_is_tried_again_under_the_same_message_id(
    payer: Driver, app: Flask, post: PostOffice, clock: MovableClock
) -> None:
    post.fail("defer", "rcpt", code=450)
    post.fail("lost_answer", "letter")
    mail = asked(payer)
    worked(app)
    assert told(mail) == ("due", 1, 450, True)
    worked(app)
    assert told(mail)[1] == 1
    for _ in range(2):
        clock.move_by(2 * MINUTE)
        worked(app)
    assert told(mail) == ("delivered", 3, None, False)
    assert ids(post) == [f"<{mail.key.hex}@gongbo.example>"] * 2


@pytest.mark.parametrize(("stage", "code"), [("rcpt", 550), ("data", 554), ("letter", 552)])
def test_what_is_refused_is_not_tried_again_and_the_motorist_hears_of_it(
    payer: Driver, app: Flask, post: PostOffice, clock: MovableClock, stage: str, code: int
) -> None:
    post.fail("reject", stage, code=code)
    mail = asked(payer)
    worked(app)
    clock.move_by(2 * HOUR)
    worked(app)
    assert told(mail) == ("refused", 1, code, False)
    assert news_of_mails(payer) == [REFUSED]
    assert post.letters() == []
    assert open_tasks() == []


def test_while_the_server_is_away_the_line_rests_and_after_an_hour_a_person_hears_of_it(
    payer: Driver, app: Flask, post: PostOffice, clock: MovableClock
) -> None:
    post.fail("hang_up", "connect", times=0)
    first = asked(payer)
    worked(app)
    second = asked(payer)
    worked(app)
    assert [told(each)[1] for each in (first, second)] == [1, 0]
    while open_tasks() == []:
        clock.move_by(30 * MINUTE)
        worked(app)
    with transaction() as session:
        assert session.get_one(ReceiptMailLine, 1).failures == 7
    post.calm()
    clock.move_by(HOUR)
    worked(app)
    assert [told(each)[0] for each in (first, second)] == ["delivered"] * 2
    assert open_tasks() == []
    with transaction() as session:
        assert session.get_one(ReceiptMailLine, 1).failures == 0


def test_what_could_not_be_sent_within_a_day_is_given_up(
    payer: Driver, app: Flask, post: PostOffice, clock: MovableClock
) -> None:
    post.fail("defer", "rcpt", times=0)
    mail = asked(payer)
    for _ in range(25):
        worked(app)
        clock.move_by(HOUR)
    worked(app)
    assert told(mail)[0::3] == ("given_up", False)
    assert news_of_mails(payer) == [GIVEN_UP]
    assert post.letters() == []


def test_a_refusal_of_ours_refuses_nobodys_mail_and_calls_a_person(
    payer: Driver, app: Flask, post: PostOffice, clock: MovableClock
) -> None:
    post.fail("reject", "mail", code=553)
    mail = asked(payer)
    worked(app)
    assert told(mail) == ("due", 1, 553, True)
    assert (open_tasks(), news_of_mails(payer)) == (["mail_server_refuses"], [])
    clock.move_by(MINUTE)
    worked(app)
    assert (told(mail)[0], open_tasks()) == ("delivered", [])


@pytest.mark.parametrize(("point", "letters"), [("receipt_mail.intended", 1), ("receipt_mail.answered", 2)])
def test_whenever_the_sender_dies_the_mail_arrives_under_one_message_id(
    environment: Mapping[str, str], payer: Driver, app: Flask, post: PostOffice, clock: MovableClock, point: str,
    letters: int,
) -> None:  # fmt: skip
    mail = asked(payer)
    dying = born({**environment, **post.environment, "FAULT_PLAN": point}, send_mail, mail.id, 0)
    dying.join()
    assert dying.exitcode == -signal.SIGKILL
    assert told(mail) == ("sending", 1, None, True)
    worked(app)
    assert told(mail)[:2] == ("sending", 1)
    clock.move_by(6 * MINUTE)
    worked(app)
    assert told(mail) == ("delivered", 2, None, False)
    assert ids(post) == [f"<{mail.key.hex}@gongbo.example>"] * letters


def test_two_jobs_for_one_mail_send_it_once(payer: Driver, app: Flask, post: PostOffice) -> None:
    mail, server = asked(payer), wiring().mail
    assert server is not None
    done = at_once(app, *[lambda: bring_mail(mail.id, 0, server)] * 2)
    bring_mail(mail.id, 1, server)
    assert (done, told(mail)[:2], len(post.letters())) == (["done"] * 2, ("delivered", 1), 1)


def test_an_answer_that_comes_after_the_lease_changes_nothing(
    payer: Driver, app: Flask, post: PostOffice, clock: MovableClock
) -> None:
    mail = asked(payer)
    post.fail("reject", "rcpt")

    class Slow(MailServer):
        def send(self, letter: Letter) -> Outcome:
            outcome = super().send(letter)
            clock.move_by(6 * MINUTE)
            worked(app)
            return outcome

    bring_mail(mail.id, 0, Slow(post.account, Reach(loopback=True)))
    assert (told(mail)[:2], news_of_mails(payer)) == (("delivered", 2), [])


def test_a_job_that_was_lost_is_left_again(payer: Driver, app: Flask, post: PostOffice, clock: MovableClock) -> None:
    mail = asked(payer)
    with transaction() as session:
        session.connection().exec_driver_sql("DELETE FROM procrastinate_jobs")
    worked(app)
    assert told(mail)[0] == "due"
    clock.move_by(2 * MINUTE)
    worked(app)
    assert (told(mail)[0], len(post.letters())) == ("delivered", 1)


def test_a_mail_whose_time_is_over_is_not_sent_any_more(payer: Driver, post: PostOffice, clock: MovableClock) -> None:
    mail, server = asked(payer), wiring().mail
    assert server is not None
    clock.move_by(24 * HOUR)
    bring_mail(mail.id, 0, server)
    assert (told(mail), post.letters()) == (("due", 0, None, True), [])
    assert ask_for_due_mails() == 1
    assert (told(mail)[0], news_of_mails(payer)) == ("given_up", [GIVEN_UP])


def test_a_mail_that_cannot_be_taken_up_does_not_stop_the_others(
    payer: Driver, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoilt, sound = asked(payer), asked(payer)

    def enqueue_all_but_one(task: str, **words: Any) -> None:
        if words["mail_id"] == spoilt.id:
            raise LookupError
        enqueue(task, **words)

    monkeypatch.setattr(sys.modules[bring_mail.__module__], "enqueue", enqueue_all_but_one)
    clock.move_by(2 * MINUTE)
    with pytest.raises(ExceptionGroup):
        ask_for_due_mails()
    with transaction() as session:
        due = select(ReceiptMail.id).where(ReceiptMail.next_check_at <= kernel_clock.now())
        assert session.scalars(due).all() == [spoilt.id]
    assert sound.id != spoilt.id


def test_a_policy_against_one_letter_calls_a_person_and_holds_up_no_other(
    payer: Driver, app: Flask, post: PostOffice, clock: MovableClock
) -> None:
    post.fail("reject", "rcpt", code=554, enhanced="5.7.1")
    barred = asked(payer)
    worked(app)
    assert (told(barred)[0], open_tasks()) == ("due", ["mail_server_refuses"])
    sound = asked(payer)
    worked(app)
    assert (told(sound)[0], open_tasks()) == ("delivered", ["mail_server_refuses"])
    clock.move_by(2 * MINUTE)
    worked(app)
    assert (told(barred)[0], open_tasks()) == ("delivered", [])


def test_a_refused_address_does_not_say_that_the_server_is_well(
    payer: Driver, app: Flask, post: PostOffice, clock: MovableClock
) -> None:
    post.fail("reject", "mail", code=553)
    mail = asked(payer)
    worked(app)
    post.fail("reject", "rcpt", code=550)
    clock.move_by(MINUTE)
    worked(app)
    assert (told(mail)[0], open_tasks()) == ("refused", ["mail_server_refuses"])


def test_ten_mails_a_day_and_no_more_also_when_two_ask_at_once(payer: Driver, app: Flask, clock: MovableClock) -> None:
    for _ in range(9):
        asked(payer)
    assert at_once(app, *[lambda: asked(payer)] * 2) == ["MailsSpent", "done"]
    clock.move_by(24 * HOUR + MINUTE)
    assert asked(payer).state == "due"
    lay_down("receipt_mails_per_day", 1, kernel_clock.now(), "test")
    with pytest.raises(MailsSpent):
        asked(payer)


def test_only_ones_own_issued_receipts_are_sent_and_only_to_plain_addresses(
    payer: Driver, organ: Payee, post: PostOffice
) -> None:
    who = driver()
    with pytest.raises(NoSuchReceipt):
        ask_mail(who.id, keys_of(payer), TO)
    has_paid(payer, organ)
    plan_due(lambda each: Service(each.description))
    with pytest.raises(NotIssuedYet):
        asked(payer)
    with pytest.raises(AddressUnfit):
        ask_mail(payer.id, keys_of(payer)[1:], f"{TO}\r\nBcc: b@example.cn")
    with pytest.raises(TooManyInAMail):
        ask_mail(payer.id, [], TO)
    mail = ask_mail(payer.id, keys_of(payer)[1:], TO)
    with pytest.raises(NoSuchMail):
        own_mail(who.id, mail.key)
    assert post.letters() == []


def test_the_database_lets_nobody_mail_what_is_not_theirs_or_not_issued(payer: Driver, organ: Payee, run: Run) -> None:
    others, mail = driver(), asked(payer)
    theirs = has_paid(others, organ)
    plan_due(lambda each: Service(each.description))
    unissued = receipt_of(theirs).id
    enclose = "INSERT INTO mailed_receipt (mail_id, receipt_id, motorist_id, number) VALUES (%s, %s, %s, '1')"
    for motorist_id in (payer.id, others.id):
        with pytest.raises(ForeignKeyViolation):
            run(enclose, mail.id, unissued, motorist_id)
    with pytest.raises(InsufficientPrivilege):
        run("UPDATE mailed_receipt SET number = number")
    with pytest.raises(InsufficientPrivilege):
        run("DELETE FROM receipt_mail")


def test_the_database_keeps_an_address_from_being_replaced_or_outliving_its_mail(
    payer: Driver, app: Flask, run: Run
) -> None:
    mail = asked(payer)
    with pytest.raises(IntegrityConstraintViolation) as refused:
        run("UPDATE receipt_mail SET address = %s WHERE id = %s", b"another", mail.id)
    assert refused.value.diag.constraint_name == "an_address_is_only_erased"
    for erased_or_kept in (
        "UPDATE receipt_mail SET address = NULL WHERE id = %s",
        "UPDATE receipt_mail SET state = 'given_up', ended_at = now(), next_check_at = NULL WHERE id = %s",
    ):
        with pytest.raises(CheckViolation) as kept:
            run(erased_or_kept, mail.id)
        assert kept.value.diag.constraint_name == "an_address_is_kept_until_its_mail_has_ended"
    worked(app)
    with pytest.raises(IntegrityConstraintViolation):
        run("UPDATE receipt_mail SET address = %s WHERE id = %s", blind_index("test", TO), mail.id)


def test_without_a_mail_server_a_mail_waits_and_is_given_up(
    payer: Driver, app: Flask, post: PostOffice, monkeypatch: pytest.MonkeyPatch, clock: MovableClock,
    evening: datetime,
) -> None:  # fmt: skip
    mail = asked(payer)
    monkeypatch.setitem(app.extensions, "gongbo", replace(wiring(), mail=None))
    worked(app)
    assert told(mail) == ("due", 0, None, True)
    clock.move_to(evening + 25 * HOUR)
    worked(app)
    assert told(mail)[0] == "given_up"
