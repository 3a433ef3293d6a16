"""Messages in a motorist's inbox."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id, Key


class Message(Base):
    """Message (站内信): told once about one subject, and read or not. No plate and no phone number stands in it."""

    __tablename__ = "message"
    id: Mapped[Id]
    key: Mapped[Key]
    motorist_id: Mapped[int] = mapped_column(ForeignKey("motorist.id"))
    kind: Mapped[str]
    subject: Mapped[str]
    title: Mapped[str]
    body: Mapped[str]
    told_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    __table_args__ = (
        UniqueConstraint("motorist_id", "kind", "subject", name="a_motorist_is_told_once_of_a_subject"),
        CheckConstraint("title <> '' AND body <> ''", name="a_message_says_something"),
        CheckConstraint("read_at >= told_at", name="a_message_is_read_after_it_was_told"),
        Index("ix_message_motorist_id_id", "motorist_id", "id"),
        Index("ix_message_unread", "motorist_id", postgresql_where=text("read_at IS NULL")),
    )
