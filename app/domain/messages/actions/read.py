"""Noting what a motorist has read."""

import uuid

from sqlalchemy import select, update

from app.domain.messages.models import Message
from app.domain.messages.queries import MessageNotFound
from app.kernel import clock
from app.kernel.db import affected, transaction


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
