"""What operators agreed with units for their service, and the monthly statements of it."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import DATERANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id, Key


class Sums:
    """What was collected, and what the unit owes the operator of it, in fen."""

    gross_fen: Mapped[int]
    """Paid by motorists."""
    refunded_fen: Mapped[int]
    """Of it or of earlier money, given back to them."""
    share_fen: Mapped[int]
    fixed_fen: Mapped[int]

    @property
    def base_fen(self) -> int:
        """What was collected: of this the operator has a share."""
        return self.gross_fen - self.refunded_fen

    @property
    def fee_fen(self) -> int:
        """What the unit owes the operator."""
        return self.share_fen + self.fixed_fen


class ServiceFeeTerms(Base):
    """What an operator gets of a unit (服务费约定): a share of what its lots collect, a sum a lot and month, or both.

    Recorded from its document by one person; it counts when another has confirmed it. There is no default. While a
    statement of some of its days lives a trigger keeps it as it is.
    """

    __tablename__ = "service_fee_terms"
    __table_args__ = (
        UniqueConstraint("id", "permille", "monthly_fen", name="agreed_fees_are_of_one_height"),
        ExcludeConstraint(
            ("operator_id", "="), ("unit_id", "="), ("valid", "&&"), where=text("confirmed_by IS NOT NULL"),
            using="gist", name="a_fee_is_agreed_once_at_a_time",
        ),
        CheckConstraint("permille BETWEEN 0 AND 1000 AND monthly_fen >= 0", name="an_agreed_fee_is_a_share_or_a_sum"),
        CheckConstraint("permille > 0 OR monthly_fen > 0", name="an_agreed_fee_is_for_something"),
        CheckConstraint("NOT isempty(valid) AND NOT lower_inf(valid)", name="agreed_fees_hold_for_some_days"),
        CheckConstraint("document_no <> ''", name="an_agreed_fee_names_its_document"),
        CheckConstraint("confirmed_by <> recorded_by", name="agreed_fees_are_confirmed_by_another_person"),
        CheckConstraint("(confirmed_by IS NULL) = (confirmed_at IS NULL)", name="a_confirmed_fee_has_its_time"),
        Index("ix_service_fee_terms_unit_id", "unit_id"),
    )  # fmt: skip

    id: Mapped[Id]
    key: Mapped[Key]
    operator_id: Mapped[int] = mapped_column(ForeignKey("operator.id"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    valid: Mapped[Range[date]] = mapped_column(DATERANGE)
    permille: Mapped[int]
    """Of what was collected: paid by motorists, less what went back to them."""
    monthly_fen: Mapped[int]
    """For each lot and whole month; of a part of it, by the day."""
    document_no: Mapped[str]
    file_id: Mapped[int] = mapped_column(ForeignKey("stored_file.id"))
    recorded_by: Mapped[int] = mapped_column(ForeignKey("staff_account.id"))
    recorded_at: Mapped[datetime]
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("staff_account.id"))
    confirmed_at: Mapped[datetime | None]


class ServiceFeeStatement(Sums, Base):
    """What a unit owes an operator for a month (服务费结算单), out of its budget: no account of a payee knows of it.

    A trigger compares it, line by line, with what the closed books of signed-off days say; once decided it says the
    same for ever. Negative where more went back than came in: then the operator owes.
    """

    __tablename__ = "service_fee_statement"
    __table_args__ = (
        UniqueConstraint("number", name="a_fee_statements_number_is_used_once"),
        Index(
            "a_month_is_stated_once", "operator_id", "unit_id", "month", unique=True,
            postgresql_where=text("state <> 'rejected'"),
        ),
        CheckConstraint(
            "extract(day FROM month) = 1 AND made_at >= (month + interval '1 month') AT TIME ZONE 'Asia/Shanghai'",
            name="a_fee_statement_is_of_a_month_that_is_over",
        ),
        CheckConstraint("lines > 0", name="a_fee_statement_is_of_some_lot"),
        CheckConstraint("state IN ('draft', 'issued', 'rejected')", name="a_fee_statement_is_in_a_known_state"),
        CheckConstraint("(state = 'issued') = (number IS NOT NULL)", name="an_issued_fee_statement_has_its_number"),
        CheckConstraint(
            "num_nonnulls(decided_by, decided_at, decided_because) = CASE state WHEN 'draft' THEN 0 ELSE 3 END",
            name="a_fee_statement_that_was_decided_says_who_and_why",
        ),
        CheckConstraint("decided_by <> made_by", name="a_fee_statement_is_decided_by_another_person"),
        CheckConstraint(
            "number <> '' AND decided_because <> ''", name="a_fee_statement_is_numbered_and_decided_in_words"
        ),
    )  # fmt: skip

    id: Mapped[Id]
    key: Mapped[Key]
    operator_id: Mapped[int] = mapped_column(ForeignKey("operator.id"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    month: Mapped[date]
    """Its first day."""
    lines: Mapped[int]
    made_by: Mapped[int] = mapped_column(ForeignKey("staff_account.id"))
    made_at: Mapped[datetime]
    state: Mapped[str]
    number: Mapped[str | None]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("staff_account.id"))
    decided_at: Mapped[datetime | None]
    decided_because: Mapped[str | None]
    transaction_id: Mapped[int] = mapped_column(server_default=func.txid_current())


class ServiceFeeLine(Sums, Base):
    """What one lot collected on the days of a month on which the operator ran it under one set of terms, and the fee.

    Shares are rounded half up to the fen, away from zero where more went back than came in, a line at a time; so is a
    fixed sum of which not all days count.
    """

    __tablename__ = "service_fee_line"
    __table_args__ = (
        ForeignKeyConstraint(
            ["terms_id", "permille", "monthly_fen"],
            [f"service_fee_terms.{name}" for name in ("id", "permille", "monthly_fen")],
            name="a_fee_is_of_the_agreed_height",
        ),
        CheckConstraint(
            "share_fen = round((gross_fen - refunded_fen)::numeric * permille / 1000)",
            name="a_share_is_of_what_was_collected",
        ),
        CheckConstraint(
            "days BETWEEN 1 AND days_of_month AND fixed_fen = round(monthly_fen::numeric * days / days_of_month)",
            name="a_fixed_fee_is_by_the_day",
        ),
        CheckConstraint("gross_fen >= 0 AND refunded_fen >= 0", name="what_was_collected_is_gross"),
    )

    statement_id: Mapped[int] = mapped_column(ForeignKey("service_fee_statement.id"), primary_key=True)
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"), primary_key=True)
    terms_id: Mapped[int] = mapped_column(primary_key=True)
    permille: Mapped[int]
    monthly_fen: Mapped[int]
    days: Mapped[int]
    days_of_month: Mapped[int]
