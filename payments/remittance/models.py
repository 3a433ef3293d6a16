"""Batches, the postings that each pays in, who took each step and why, and what proves that the treasury has it."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import (
    CheckConstraint,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import DATEMULTIRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id, Key
from payments.charges.rules import words
from payments.remittance.rules import DEAD, DECIDED, DOCUMENTED, STATES

LIVE = f"state NOT IN ({words(DEAD)})"
_TARGET = ("regime", "level", "collecting_unit_code", "item_code", "treasury_target")


class RemittanceBatch(Base):
    """All that is due to one treasury for some days (上缴批次), gross: of one payee, level, collecting unit and item.

    Triggers hold it to its lines, to signed-off and closed days, and let it leave nothing behind. What goes back of
    money that was not remitted yet stands in a later batch as a negative line; a batch is never edited.
    """

    __tablename__ = "remittance_batch"
    __table_args__ = (
        UniqueConstraint("id", "payee_id", "is_live", name="a_batch_is_live_or_not"),
        UniqueConstraint("id", "made_by", name="a_batch_is_somebodys"),
        UniqueConstraint("id", "payee_id", "amount_fen", name="a_batch_is_one_sum_of_one_payee"),
        UniqueConstraint("document_number", name="a_document_pays_one_batch_in"),
        ForeignKeyConstraint(
            ["payee_id", *_TARGET], ["payee.id", *(f"payee.{name}" for name in _TARGET)], name="a_batch_has_one_target"
        ),
        ExcludeConstraint(
            ("payee_id", "="), ("days", "&&"), where=text(LIVE), using="gist", name="a_day_is_remitted_once"
        ),
        CheckConstraint("regime = 'TREASURY'", name="only_a_treasury_payee_remits"),
        CheckConstraint("amount_fen > 0 AND lines > 0", name="a_batch_pays_something_in"),
        CheckConstraint(
            "NOT isempty(days) AND NOT lower_inf(days) AND NOT upper_inf(days)", name="a_batch_is_of_some_days"
        ),
        CheckConstraint(f"state IN ({words(STATES)})", name="a_batch_is_in_a_known_state"),
        CheckConstraint(
            f"(state IN ({words(DOCUMENTED)})) = (document_number IS NOT NULL)", name="what_is_sent_has_its_document"
        ),
        CheckConstraint("document_number ~ '^[0-9A-Z-]{6,32}$'", name="a_document_number_reads_like_one"),
        Index(
            "a_payee_has_one_batch_under_way", "payee_id", unique=True,
            postgresql_where=text("state IN ('draft', 'approved')"),
        ),
    )  # fmt: skip

    id: Mapped[Id]
    key: Mapped[Key]
    payee_id: Mapped[int]
    regime: Mapped[str]
    level: Mapped[str]
    collecting_unit_code: Mapped[str]
    item_code: Mapped[str]
    treasury_target: Mapped[str]
    days: Mapped[Sequence[Range[date]]] = mapped_column(DATEMULTIRANGE)
    """Accounting days: all that were signed off and closed, and in no live batch before."""
    lines: Mapped[int]
    amount_fen: Mapped[int]
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    document_number: Mapped[str | None]
    """缴款书号: under which the treasury knows it; from when it is sent."""
    state: Mapped[str]
    is_live: Mapped[bool] = mapped_column(Computed(LIVE, persisted=True))
    transaction_id: Mapped[int] = mapped_column(server_default=func.txid_current())


class RemittanceLine(Base):
    """One posting to 应缴财政款 that a batch pays in; what went back is negative. In one live batch at most."""

    __tablename__ = "remittance_line"
    __table_args__ = (
        ForeignKeyConstraint(
            ["batch_id", "payee_id", "is_live"],
            [f"remittance_batch.{name}" for name in ("id", "payee_id", "is_live")],
            name="a_remittance_line_follows_its_batch", onupdate="CASCADE",
        ),
        CheckConstraint("amount_fen <> 0", name="a_remittance_line_is_for_money"),
        Index("a_posting_is_remitted_once", "posting_id", unique=True, postgresql_where=text("is_live")),
    )  # fmt: skip

    batch_id: Mapped[int] = mapped_column(primary_key=True)
    posting_id: Mapped[int] = mapped_column(ForeignKey("posting.id"), primary_key=True)
    payee_id: Mapped[int]
    posted_on: Mapped[date]
    amount_fen: Mapped[int]
    is_live: Mapped[bool]


class RemittanceStep(Base):
    """Who brought a batch into a state, when and why; `made_by` is the batch's maker, who never decides on it."""

    __tablename__ = "remittance_step"
    __table_args__ = (
        ForeignKeyConstraint(
            ["batch_id", "made_by"], ["remittance_batch.id", "remittance_batch.made_by"], name="a_step_is_of_its_batch"
        ),
        UniqueConstraint("batch_id", "state", name="a_batch_is_in_a_state_once"),
        CheckConstraint(
            f"state NOT IN ({words(DECIDED)}) OR by <> made_by", name="a_batch_is_decided_by_another_person"
        ),
        CheckConstraint("by <> '' AND because <> ''", name="a_step_says_who_and_why"),
    )

    id: Mapped[Id]
    batch_id: Mapped[int]
    state: Mapped[str]
    made_by: Mapped[str]
    by: Mapped[str]
    at: Mapped[datetime]
    because: Mapped[str]


class RemittanceReceipt(Base):
    """What proves to the fen that a batch left (a line of its payee's bank) or came (the treasury's receipt, 回单)."""

    __tablename__ = "remittance_receipt"
    __table_args__ = (
        ForeignKeyConstraint(
            ["batch_id", "payee_id", "amount_fen"],
            [f"remittance_batch.{name}" for name in ("id", "payee_id", "amount_fen")],
            name="a_treasury_receives_what_was_sent",
        ),
        ForeignKeyConstraint(
            ["statement_id", "line", "left_fen"],
            [f"bank_line.{name}" for name in ("statement_id", "number", "amount_fen")],
            name="a_remittance_left_by_a_line_of_the_bank",
        ),
        ForeignKeyConstraint(
            ["statement_id", "payee_id"], ["bank_statement.id", "bank_statement.payee_id"],
            name="a_remittance_left_its_own_payees_bank",
        ),
        UniqueConstraint("statement_id", "line", name="a_bank_line_is_one_remittance"),
        UniqueConstraint("number", name="a_treasurys_receipt_is_for_one_batch"),
        CheckConstraint(
            "(statement_id IS NULL) = (line IS NULL) AND (statement_id IS NULL) = (number IS NOT NULL)",
            name="a_receipt_is_the_banks_or_the_treasurys",
        ),
        CheckConstraint("number <> ''", name="a_treasurys_receipt_has_its_number"),
        Index("a_batch_leaves_by_one_line", "batch_id", unique=True, postgresql_where=text("statement_id IS NOT NULL")),
        Index("a_batch_is_received_once", "batch_id", unique=True, postgresql_where=text("number IS NOT NULL")),
    )  # fmt: skip

    id: Mapped[Id]
    batch_id: Mapped[int]
    payee_id: Mapped[int]
    amount_fen: Mapped[int]
    statement_id: Mapped[int | None]
    line: Mapped[int | None]
    left_fen: Mapped[int | None] = mapped_column(
        Computed("CASE WHEN statement_id IS NOT NULL THEN -amount_fen END", persisted=True)
    )
    number: Mapped[str | None]
    received_on: Mapped[date]
    """The day of the bank's line, or that on which the treasury had it."""
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime]


class RemittanceRefusal(Base):
    """What proves that a treasury does not take an approved batch (不予受理): its paper, with number and day."""

    __tablename__ = "remittance_refusal"
    __table_args__ = (
        UniqueConstraint("batch_id", name="a_batch_is_refused_once"),
        UniqueConstraint("number", name="a_treasurys_refusal_is_of_one_batch"),
        CheckConstraint("number <> ''", name="a_treasurys_refusal_has_its_number"),
        CheckConstraint(
            "refused_on <= (recorded_at AT TIME ZONE 'Asia/Shanghai')::date", name="a_treasurys_refusal_is_not_to_come"
        ),
    )

    id: Mapped[Id]
    batch_id: Mapped[int] = mapped_column(ForeignKey("remittance_batch.id"))
    number: Mapped[str]
    refused_on: Mapped[date]
    file_id: Mapped[int] = mapped_column(ForeignKey("stored_file.id"))
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime]


class RemittanceBounce(Base):
    """What proves that the bank gave a batch back (退汇), whole: the number and day of its paper, and the paper.

    A trigger holds the day to the one on which the batch was sent, or a later one.
    """

    __tablename__ = "remittance_bounce"
    __table_args__ = (
        ForeignKeyConstraint(
            ["batch_id", "payee_id", "amount_fen"],
            [f"remittance_batch.{name}" for name in ("id", "payee_id", "amount_fen")],
            name="a_bank_gives_back_what_was_sent",
        ),
        UniqueConstraint("batch_id", name="a_batch_bounces_once"),
        UniqueConstraint("number", name="a_banks_return_is_of_one_batch"),
        CheckConstraint("number <> ''", name="a_banks_return_has_its_number"),
        CheckConstraint(
            "returned_on <= (recorded_at AT TIME ZONE 'Asia/Shanghai')::date", name="a_banks_return_is_not_to_come"
        ),
    )

    id: Mapped[Id]
    batch_id: Mapped[int]
    payee_id: Mapped[int]
    amount_fen: Mapped[int]
    number: Mapped[str]
    returned_on: Mapped[date]
    file_id: Mapped[int] = mapped_column(ForeignKey("stored_file.id"))
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime]
