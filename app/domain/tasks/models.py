"""Tasks: reviews, alarms and exceptions that wait for a person."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id, Key


class Task(Base):
    """One thing to decide (待办), about one row; open at most once per kind and subject."""

    __tablename__ = "task"
    id: Mapped[Id]
    key: Mapped[Key]
    kind: Mapped[str]
    subject: Mapped[str]
    subject_id: Mapped[int]
    detail: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    __table_args__ = (
        CheckConstraint("(closed_at IS NULL) = (outcome IS NULL)", name="a_closed_task_has_an_outcome"),
        Index(
            "a_subject_has_one_open_task_of_a_kind", "kind", "subject", "subject_id",
            unique=True, postgresql_where=text("closed_at IS NULL"),
        ),
    )  # fmt: skip
