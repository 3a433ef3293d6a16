"""What units report to have used the money for, and what their bills brought day by day."""

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


class UnitTurnoverDay(Base):
    """A closed day of which it is kept what units' bills brought; days are kept in order, each whole (`keep_units`)."""

    __tablename__ = "unit_turnover_day"

    day: Mapped[date] = mapped_column(ForeignKey("accounting_day.day"), primary_key=True)


class UnitTurnover(Base):
    """What one account moved on a kept day by journals of one kind, as far as a unit's bills brought it. Derived.

    Made again after the turnover of accounts was (`rebuild_balances`).
    """

    __tablename__ = "unit_turnover_daily"
    __table_args__ = (
        CheckConstraint("debit_fen >= 0 AND credit_fen >= 0 AND postings > 0", name="a_units_turnover_moved_something"),
    )

    day: Mapped[date] = mapped_column(ForeignKey("unit_turnover_day.day", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    debit_fen: Mapped[int]
    credit_fen: Mapped[int]
    postings: Mapped[int]
