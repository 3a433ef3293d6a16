"""Telling a motorist something, and noting that it was read."""

import uuid

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from app.domain.messages.models import Message
from app.domain.messages.queries import MessageNotFound
from app.kernel import clock
from app.kernel.db import affected, transaction
from app.kernel.ids import new_key


def tell(motorist_id: int, kind: str, subject: str, title: str, body: str) -> Message:
    """Put a message into a motorist's inbox; a second one of the same kind about the same subject is the first.

    `subject` names a row, such as `reservation:17`; title and body are Chinese and hold no personal data.
    """
    with transaction() as session:
        same = {"motorist_id": motorist_id, "kind": kind, "subject": subject}
        session.execute(
            insert(Message)
            .values(**same, key=new_key(), title=title, body=body, told_at=clock.now())
            .on_conflict_do_nothing(constraint="a_motorist_is_told_once_of_a_subject")
        )
        return session.scalars(select(Message).filter_by(**same)).one()


def read(motorist_id: int, key: uuid.UUID) -> Message:
    """Note that a message was read; the first reading counts. Refuses `MessageNotFound`."""
    with transaction() as session:
        mine = (Message.motorist_id == motorist_id, Message.key == key)
        affected(update(Message).where(*mine, Message.read_at.is_(None)).values(read_at=clock.now()))
        message = session.scalars(select(Message).where(*mine)).one_or_none()
        if message is None:
            raise MessageNotFound
        return message


def read_all(motorist_id: int) -> int:
    """Note that everything was read; returns how many messages were not."""
    with transaction():
        unread = (Message.motorist_id == motorist_id, Message.read_at.is_(None))
        return affected(update(Message).where(*unread).values(read_at=clock.now()))
