"""Reminders to leave in time."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id


class Reminder(Base):
    """Reminder (离场提醒) to whoever is parked when the lot closes soon; `closes_at` as it was known then."""

    __tablename__ = "reminder"
    id: Mapped[Id]
    stay_id: Mapped[int] = mapped_column(ForeignKey("stay.id"))
    kind: Mapped[str]
    closes_at: Mapped[datetime]
    reminded_at: Mapped[datetime]
    __table_args__ = (
        UniqueConstraint("stay_id", "kind", name="a_stay_is_reminded_once_of_a_kind"),
        CheckConstraint("kind IN ('first', 'second', 'closing', 'after')", name="a_reminder_is_of_a_known_kind"),
        CheckConstraint("kind <> 'after' OR reminded_at >= closes_at", name="a_late_reminder_comes_after_closing"),
        CheckConstraint("kind = 'after' OR kind = 'closing' OR reminded_at < closes_at",
                        name="an_early_reminder_comes_before_closing"),
    )  # fmt: skip
