"""Mails are handed to the mail server: the try written down, the call made, the answer written down.

Killed between the first two nothing was sent, between the others perhaps something. Either way it is sent again when
its lease is over, under the same Message-ID: a receipt that comes twice is better than one that never comes. How a mail
ended, its address ends with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from app.adapters.documents import Paper, rendered
from app.adapters.mail import Attachment, Letter, MailServer, NotNow, Outcome, Refused, Taken
from app.domain.messages.actions import tell
from app.domain.messages.rules import pause
from app.domain.receipts.models import MailedReceipt, ReceiptMail, ReceiptMailLine
from app.domain.receipts.papers import paper_of
from app.domain.receipts.queries import address_place, enclosed_in, mail_line
from app.domain.receipts.rules import LEASE, MAIL, SILENT_TOO_LONG, UNSENT, Enclosed, subject_of, text_of
from app.domain.tasks.actions import open_task, settle_tasks
from app.kernel import clock
from app.kernel.crypto import unseal
from app.kernel.db import current, transaction
from app.kernel.faults import fault_point
from app.kernel.queue import enqueue
from app.kernel.rounds import each_alone
from payments.receipts.queries import Written
from payments.receipts.rules import next_try

CAUSE = "mail_server"
REFUSES_US = "mail_server_refuses"


def ask_for_due_mails(limit: int = 50) -> int:
    """Leave a job for each mail that should be sent now, and give up those whose time is over; returns how many.

    A slow mail server keeps workers waiting, never the sweepers. Each mail has its own transaction. Outside any
    transaction.
    """
    with transaction() as session:
        due = select(ReceiptMail.id).where(ReceiptMail.next_check_at <= clock.now())
        found = session.scalars(due.order_by(ReceiptMail.next_check_at, ReceiptMail.id).limit(limit)).all()
    return each_alone(found, _taken_up_again)


def _taken_up_again(mail_id: int) -> bool:
    """Whether it was still due, and nobody else's."""
    with transaction() as session:
        now = clock.now()
        due = select(ReceiptMail).where(ReceiptMail.id == mail_id, ReceiptMail.next_check_at <= now)
        mail = session.scalars(due.with_for_update(skip_locked=True)).one_or_none()
        if mail is not None:
            _take_up_again(mail, now)
        return mail is not None


def _take_up_again(mail: ReceiptMail, now: datetime) -> None:
    if mail.state == "sending":
        MAIL.move(mail, "lose", "sweeper")
    if mail.give_up_at <= now:
        _end_unsent(mail, "give_up", "sweeper")
        return
    mail.next_check_at = now + LEASE
    enqueue("receipts.bring_mail", mail_id=mail.id, tried=mail.attempts)


@dataclass(frozen=True)
class _Packed:
    """What is needed for the letter, out of one transaction."""

    mail: ReceiptMail
    address: str
    enclosed: Sequence[tuple[Enclosed, Paper]]


def bring_mail(mail_id: int, tried: int, server: MailServer) -> None:
    """Send one mail that was tried so many times when the job was left; nothing if it has gone on since.

    Outside any transaction.
    """
    packed = _take_up(mail_id, tried)
    if packed is None:
        return
    letter = _letter(packed)
    fault_point("receipt_mail.intended")
    outcome = server.send(letter)
    fault_point("receipt_mail.answered")
    _write_down(mail_id, tried + 1, outcome)


def _take_up(mail_id: int, tried: int) -> _Packed | None:
    """The try written down; while the line rests, the mail rests with it. One whose time is over a sweeper ends."""
    with transaction() as session:
        waiting = select(ReceiptMail).filter_by(id=mail_id, state="due", attempts=tried)
        mail = session.scalars(waiting.with_for_update(skip_locked=True)).one_or_none()
        if mail is None or mail.address is None:
            return None
        now, line = clock.now(), mail_line()
        if mail.give_up_at <= now:
            mail.next_check_at = now
            return None
        if line is not None and line.rests_until is not None and line.rests_until > now:
            mail.next_check_at = min(line.rests_until, mail.give_up_at)
            return None
        MAIL.move(mail, "send", CAUSE, attempts=tried + 1, next_check_at=now + LEASE)
        enclosed = [(_spoken_of(said), paper_of(said)) for said in enclosed_in(mail.id)]
        return _Packed(mail, unseal(mail.address, address_place(mail.key)), enclosed)


def _spoken_of(said: Written) -> Enclosed:
    receipt = said.receipt
    assert receipt.number is not None
    assert receipt.issued_at is not None
    return Enclosed(receipt.kind, receipt.code or "", receipt.number, receipt.amount_fen, receipt.issued_at)


def _letter(packed: _Packed) -> Letter:
    spoken_of = [each for each, _ in packed.enclosed]
    return Letter(
        packed.mail.key, packed.address, subject_of(spoken_of), text_of(spoken_of), packed.mail.asked_at,
        [Attachment(each.file_name, rendered(paper)) for each, paper in packed.enclosed],
    )  # fmt: skip


def _write_down(mail_id: int, attempts: int, outcome: Outcome) -> None:
    with transaction() as session:
        ours = select(ReceiptMail).filter_by(id=mail_id, state="sending", attempts=attempts)
        mail = session.scalars(ours.with_for_update()).one_or_none()
        if mail is None:  # its lease ran out, and somebody else sends it
            return
        match outcome:
            case Taken():
                end(mail, "deliver", CAUSE)
                _note_well()
            case Refused(code):
                _end_unsent(mail, "refuse", CAUSE, code)
            case NotNow():
                _postpone(mail, outcome)


def end(mail: ReceiptMail, event: str, cause: str, code: int | None = None) -> None:
    """The address goes with the mail's last state, in one statement."""
    MAIL.move(mail, event, cause, address=None, next_check_at=None, smtp_code=code, ended_at=clock.now())
    settle_tasks(REFUSES_US, "receipt_mail", mail.id, "该邮件已结束")


def _end_unsent(mail: ReceiptMail, event: str, cause: str, code: int | None = None) -> None:
    end(mail, event, cause, code or mail.smtp_code)
    kind, title, body = UNSENT[mail.state]
    count = current().scalar(select(func.count()).select_from(MailedReceipt).filter_by(mail_id=mail.id))
    tell(mail.motorist_id, kind, f"receipt_mail:{mail.id}", title, body.format(count=count))


def _postpone(mail: ReceiptMail, answer: NotNow) -> None:
    now = clock.now()
    at = _rest(answer) if answer.for_all else next_try(mail.attempts, now)
    if answer.misconfigured and not answer.for_all:
        open_task(REFUSES_US, "receipt_mail", mail.id, {"code": answer.code})
    MAIL.move(mail, "postpone", CAUSE, next_check_at=min(at, mail.give_up_at), smtp_code=answer.code)


def _rest(answer: NotNow) -> datetime:
    """Let the line rest, longer each time; returns until when."""
    session, now = current(), clock.now()
    session.execute(insert(ReceiptMailLine).values(id=1).on_conflict_do_nothing())
    line = session.scalars(select(ReceiptMailLine).with_for_update()).one()
    if line.rests_until is None or line.rests_until <= now:
        line.failures += 1
        line.rests_until = now + pause(line.failures)
    if answer.misconfigured or line.failures >= SILENT_TOO_LONG:
        open_task(REFUSES_US, "receipt_mail_line", 1, {"code": answer.code})
    return line.rests_until


def _note_well() -> None:
    """The server took a letter, which no refusal proves that it would: the line rests no longer."""
    line = mail_line()
    if line is None or line.failures == 0:
        return
    line = current().scalars(select(ReceiptMailLine).with_for_update()).one()
    line.failures, line.rests_until = 0, None
    settle_tasks(REFUSES_US, "receipt_mail_line", 1, "邮件服务已恢复")
