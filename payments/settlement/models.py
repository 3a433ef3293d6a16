"""Settlement statements as they were drafted and decided."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import DATERANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id, Key
from payments.charges.rules import words
from payments.settlement.rules import STATES


class SettlementStatement(Base):
    """What WeChat took for an enterprise in some days and paid out to it (结算单), in fen.

    `opening + paid - refunded - fee + difference - settled = closing` is what WeChat holds. A trigger compares each
    figure with the closed books when it is drafted; from then on it says the same for ever.
    """

    __tablename__ = "settlement_statement"
    __table_args__ = (
        UniqueConstraint("number", name="a_statements_number_is_used_once"),
        ForeignKeyConstraint(
            ["payee_id", "regime"], ["payee.id", "payee.regime"], name="a_settlement_has_its_payees_regime"
        ),
        ExcludeConstraint(
            ("payee_id", "="), ("days", "&&"), where=text("state <> 'rejected'"), using="gist",
            name="a_day_is_settled_once",
        ),
        CheckConstraint("regime = 'SOE'", name="only_an_enterprise_is_settled_with"),
        CheckConstraint(
            "NOT isempty(days) AND NOT lower_inf(days) AND NOT upper_inf(days)", name="a_settlement_is_of_some_days"
        ),
        CheckConstraint(f"state IN ({words(STATES)})", name="a_settlement_is_in_a_known_state"),
        CheckConstraint(
            "opening_fen + paid_fen - refunded_fen - fee_fen + difference_fen - settled_fen = closing_fen",
            name="a_settlement_adds_up",
        ),
        CheckConstraint("arrived_fen BETWEEN 0 AND settled_fen", name="no_more_arrives_than_was_settled"),
        CheckConstraint("(state = 'issued') = (number IS NOT NULL)", name="an_issued_settlement_has_its_number"),
        CheckConstraint(
            "num_nonnulls(decided_by, decided_at, decided_because) = CASE state WHEN 'draft' THEN 0 ELSE 3 END",
            name="a_settlement_that_was_decided_says_who_and_why",
        ),
        CheckConstraint("decided_by <> made_by", name="a_settlement_is_decided_by_another_person"),
        Index("ix_settlement_statement_payee_id", "payee_id"),
    )  # fmt: skip

    id: Mapped[Id]
    key: Mapped[Key]
    payee_id: Mapped[int]
    regime: Mapped[str]
    days: Mapped[Range[date]] = mapped_column(DATERANGE)
    opening_fen: Mapped[int]
    """What WeChat held before."""
    paid_fen: Mapped[int]
    refunded_fen: Mapped[int]
    fee_fen: Mapped[int]
    difference_fen: Mapped[int]
    """What was put into suspense because WeChat's bill has more, or taken out of it; negative where it has less."""
    settled_fen: Mapped[int]
    """What WeChat paid out to the bank."""
    closing_fen: Mapped[int]
    """What WeChat held at the end."""
    arrived_fen: Mapped[int]
    """What of `settled_fen` a bank statement shows, as it was known when this was drafted."""
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    state: Mapped[str]
    number: Mapped[str | None]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decided_because: Mapped[str | None]

    @property
    def open_fen(self) -> int:
        """What WeChat paid out and no bank statement shows."""
        return self.settled_fen - self.arrived_fen
