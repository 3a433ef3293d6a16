"""Mails that wait for a server are sent no more, and their addresses go."""

from sqlalchemy import select

from app.domain.receipts.actions.bring_mail import end
from app.domain.receipts.models import ReceiptMail
from app.kernel.db import current, transaction


def drop_mails(motorist_id: int, cause: str) -> None:
    """Send nothing more that this motorist asked for; nobody is told."""
    with transaction():
        waiting = select(ReceiptMail).filter_by(motorist_id=motorist_id, state="due").order_by(ReceiptMail.id)
        for mail in current().scalars(waiting.with_for_update()).all():
            end(mail, "give_up", cause, mail.smtp_code)
