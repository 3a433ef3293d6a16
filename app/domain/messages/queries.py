"""A motorist's messages, and nobody else's."""

from collections.abc import Sequence

from sqlalchemy import func, select

from app.domain.messages.models import Message
from app.kernel.db import transaction
from app.kernel.refusals import NotFound


class MessageNotFound(NotFound):
    """There is no such message, or it is somebody else's."""

    code = "message_not_found"
    message = "未找到该消息"


def list_for(motorist_id: int, before_id: int | None, limit: int) -> Sequence[Message]:
    """A motorist's messages, newest first; `before_id` is the id of the last one already seen."""
    query = select(Message).where(Message.motorist_id == motorist_id).order_by(Message.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(Message.id < before_id)
    with transaction() as session:
        return session.scalars(query).all()


def unread_count(motorist_id: int) -> int:
    """How many messages a motorist has not read."""
    with transaction() as session:
        count = session.scalar(
            select(func.count()).where(Message.motorist_id == motorist_id, Message.read_at.is_(None))
        )
    return count or 0
