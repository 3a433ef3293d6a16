"""What units report to have used the money for."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id


class MoneyUse(Base):
    """What a unit spent in a month on one purpose (资金使用, N3.3). Append-only: the newest version counts."""

    __tablename__ = "money_use"
    __table_args__ = (
        UniqueConstraint("unit_id", "month", "purpose", "version", name="a_use_is_numbered_once"),
        CheckConstraint(
            "purpose IN ('platform_service', 'berth_management', 'facilities', 'other')", name="a_use_has_a_purpose"
        ),
        CheckConstraint("amount_fen >= 0 AND version >= 1", name="a_use_is_a_sum"),
        CheckConstraint("extract(day FROM month) = 1", name="a_use_is_of_a_month"),
        CheckConstraint("basis <> ''", name="a_use_says_on_what_it_rests"),
    )

    id: Mapped[Id]
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    month: Mapped[date]
    """Its first day."""
    purpose: Mapped[str]
    version: Mapped[int]
    amount_fen: Mapped[int]
    basis: Mapped[str]
    reported_by: Mapped[int] = mapped_column(ForeignKey("staff_account.id"))
    reported_at: Mapped[datetime]
