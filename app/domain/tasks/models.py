"""Tasks: reviews, alarms and exceptions that wait for a person."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id, Key


class Task(Base):
    """One thing to decide (待办), about one row; open at most once per kind and subject.

    It lies where its subject lies: people see what is within their scopes. Without a place it is the city's own.
    """

    __tablename__ = "task"
    id: Mapped[Id]
    key: Mapped[Key]
    kind: Mapped[str]
    subject: Mapped[str]
    subject_id: Mapped[int]
    detail: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    district_code: Mapped[str | None] = mapped_column(ForeignKey("district.code"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    operator_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default="{}")
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("staff_account.id"))
    taken_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[int | None] = mapped_column(ForeignKey("staff_account.id"))
    outcome: Mapped[str | None]
    __table_args__ = (
        CheckConstraint("(closed_at IS NULL) = (outcome IS NULL)", name="a_closed_task_has_an_outcome"),
        CheckConstraint("(owner_id IS NULL) = (taken_at IS NULL)", name="a_task_with_an_owner_was_taken"),
        CheckConstraint("closed_by IS NULL OR closed_at IS NOT NULL", name="who_closed_a_task_closed_it"),
        Index(
            "a_subject_has_one_open_task_of_a_kind", "kind", "subject", "subject_id",
            unique=True, postgresql_where=text("closed_at IS NULL"),
        ),
        Index("ix_task_due_at_id", "due_at", "id", postgresql_where=text("closed_at IS NULL")),
    )  # fmt: skip
