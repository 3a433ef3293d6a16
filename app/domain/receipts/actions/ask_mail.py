"""A motorist asks that issued receipts be sent to an e-mail address."""

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select

from app.adapters.mail import is_address
from app.domain.motorists.models import Motorist
from app.domain.policies.queries import numbers
from app.domain.receipts.models import MailedReceipt, ReceiptMail
from app.domain.receipts.queries import address_place
from app.domain.receipts.rules import JOB_MAY_TAKE, MAIL, MOST_IN_A_MAIL
from app.kernel import clock
from app.kernel.crypto import seal
from app.kernel.db import current, transaction
from app.kernel.ids import new_key
from app.kernel.queue import enqueue
from app.kernel.refusals import Conflict, Invalid
from payments.receipts.models import Receipt
from payments.receipts.queries import own_receipt

DAY = timedelta(days=1)


class AddressUnfit(Invalid):
    """It is no plain e-mail address; which ones are says `app.adapters.mail.is_address`."""

    code = "email_unfit"
    message = "邮箱地址有误，请填写形如 name@example.cn 的地址，中文域名请用 xn-- 形式"


class TooManyInAMail(Invalid):
    """A mail takes 1 to 20 receipts."""

    code = "too_many_in_a_mail"
    message = f"一封邮件最多附{MOST_IN_A_MAIL}张票据"


class NotIssuedYet(Conflict):
    """One of them has no number yet, so there is nothing to send."""

    code = "receipt_not_issued"
    message = "所选票据尚未开具，开具后再申请发送"


class MailsSpent(Conflict):
    """Within a day a motorist may ask for so many mails, whatever became of them."""

    code = "receipt_mails_spent"
    message = "24小时内申请的票据邮件已达上限，请稍后再试，或在“我的票据”中下载"


def check_mail(motorist_id: int, keys: Collection[uuid.UUID], address: str) -> None:
    """Refuse what `ask_mail` would refuse just now, and change nothing."""
    with transaction():
        _fitting(motorist_id, keys, address, clock.now())


def ask_mail(motorist_id: int, keys: Collection[uuid.UUID], address: str) -> ReceiptMail:
    """Have the receipts that these payments are owed sent to an address, each once; the sending is a job of its own.

    The address is kept sealed until the mail has ended, `receipt_mail_hours` at most. Refuses `AddressUnfit`,
    `TooManyInAMail`, `MailsSpent` after `receipt_mails_per_day`, `NoSuchReceipt` and `NotIssuedYet`.
    """
    with transaction() as session:
        session.execute(select(Motorist.id).where(Motorist.id == motorist_id).with_for_update(key_share=True))
        now = clock.now()
        receipts = _fitting(motorist_id, keys, address, now)
        mail = _due(motorist_id, address, now, now + timedelta(hours=numbers()["receipt_mail_hours"]))
        session.add_all(
            MailedReceipt(mail_id=mail.id, receipt_id=each.id, motorist_id=motorist_id, number=each.number)
            for each in receipts
        )
        enqueue("receipts.bring_mail", mail_id=mail.id, tried=0)
        return mail


def _fitting(motorist_id: int, keys: Collection[uuid.UUID], address: str, now: datetime) -> Sequence[Receipt]:
    """The receipts that are enclosed."""
    if not is_address(address):
        raise AddressUnfit
    if not 1 <= len(set(keys)) <= MOST_IN_A_MAIL:
        raise TooManyInAMail
    if _asked_since(motorist_id, now - DAY) >= numbers()["receipt_mails_per_day"]:
        raise MailsSpent
    return _issued(motorist_id, keys)


def _asked_since(motorist_id: int, since: datetime) -> int:
    mine = (ReceiptMail.motorist_id == motorist_id, ReceiptMail.asked_at > since)
    return current().scalar(select(func.count()).select_from(ReceiptMail).where(*mine)) or 0


def _issued(motorist_id: int, keys: Collection[uuid.UUID]) -> Sequence[Receipt]:
    """One invoice may stand for several payments: it is enclosed once."""
    found: dict[int, Receipt] = {}
    for key in dict.fromkeys(keys):
        issued = own_receipt(motorist_id, key).issued
        if issued is None:
            raise NotIssuedYet
        found[issued.id] = issued
    return list(found.values())


def _due(motorist_id: int, address: str, now: datetime, give_up_at: datetime) -> ReceiptMail:
    key = new_key()
    mail = ReceiptMail(
        key=key, motorist_id=motorist_id, address=seal(address, address_place(key)), asked_at=now,
        give_up_at=give_up_at, state="due", next_check_at=now + JOB_MAY_TAKE,
    )  # fmt: skip
    current().add(mail)
    MAIL.born(mail, "motorist")
    return mail
