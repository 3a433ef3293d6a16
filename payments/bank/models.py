"""Accounts on record, statements that were handed in, their lines, and which settlement each line is."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text, true
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id, Key
from app.kernel.two_persons import Request
from payments.bank.rules.meanings import FEE_BORNE, MEANING_STATES, MEANINGS
from payments.charges.rules import words


class PayeeAccount(Base):
    """An account into which a payee's money is paid out (收款账户), from a day on, beside the one it was opened with.

    It counts once another person confirmed it: a trigger takes statements of no other.
    """

    __tablename__ = "payee_account"
    __table_args__ = (
        CheckConstraint("account ~ '^[0-9]{8,32}$' AND bank <> ''", name="an_account_has_its_number_and_bank"),
        CheckConstraint("note <> ''", name="an_account_names_its_basis"),
        CheckConstraint("confirmed_by <> recorded_by", name="an_account_is_confirmed_by_another_person"),
        CheckConstraint("(confirmed_by IS NULL) = (confirmed_at IS NULL)", name="a_confirmed_account_has_its_time"),
        Index(
            "a_payee_has_an_account_once", "payee_id", "account", unique=True,
            postgresql_where=text("confirmed_by IS NOT NULL"),
        ),
    )  # fmt: skip

    id: Mapped[Id]
    key: Mapped[Key]
    payee_id: Mapped[int] = mapped_column(ForeignKey("payee.id"))
    account: Mapped[str]
    bank: Mapped[str]
    since: Mapped[date]
    note: Mapped[str]
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime]
    confirmed_by: Mapped[str | None]
    confirmed_at: Mapped[datetime | None]


class BankStatement(Base):
    """One file of a payee's bank, whole and once; opening balance and lines come to the closing balance."""

    __tablename__ = "bank_statement"
    __table_args__ = (
        UniqueConstraint("payee_id", "sha256", name="a_statement_is_imported_once"),
        UniqueConstraint("id", "payee_id", name="a_statement_is_one_payees"),
        CheckConstraint("format IN ('csv', 'camt053')", name="a_statement_is_of_a_known_format"),
        CheckConstraint("opening_fen + moved_fen = closing_fen", name="a_statement_adds_up"),
    )

    id: Mapped[Id]
    key: Mapped[Key]
    payee_id: Mapped[int] = mapped_column(ForeignKey("payee.id"))
    format: Mapped[str]
    account: Mapped[str]
    sha256: Mapped[bytes]
    lines: Mapped[int]
    opening_fen: Mapped[int]
    moved_fen: Mapped[int]
    closing_fen: Mapped[int]
    imported_by: Mapped[str]
    imported_at: Mapped[datetime]
    is_watched: Mapped[bool] = mapped_column(server_default=true())
    """Whether a person hears of lines that nothing explains; not of those that came before lines were explained."""


class BankLine(Base):
    """One line of a statement; what left the account is negative. Who the other side was is not kept."""

    __tablename__ = "bank_line"
    __table_args__ = (
        UniqueConstraint("statement_id", "number", "amount_fen", name="a_bank_line_moves_one_sum"),
        Index("ix_bank_line_amount_fen_booked_on", "amount_fen", "booked_on"),
    )

    statement_id: Mapped[int] = mapped_column(ForeignKey("bank_statement.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    booked_on: Mapped[date]
    amount_fen: Mapped[int]
    reference: Mapped[str]


class ReturnArrival(Base):
    """A remittance that came back (退汇) is this line of the payee's bank: each at most once, to the fen."""

    __tablename__ = "return_arrival"
    __table_args__ = (
        ForeignKeyConstraint(
            ["batch_id", "payee_id", "amount_fen"],
            [f"remittance_batch.{name}" for name in ("id", "payee_id", "amount_fen")],
            name="a_return_comes_back_whole",
        ),
        ForeignKeyConstraint(
            ["statement_id", "line", "amount_fen"],
            [f"bank_line.{name}" for name in ("statement_id", "number", "amount_fen")],
            name="a_return_comes_by_a_line_of_the_bank",
        ),
        ForeignKeyConstraint(
            ["statement_id", "payee_id"], ["bank_statement.id", "bank_statement.payee_id"],
            name="a_return_comes_to_its_own_payees_bank",
        ),
        UniqueConstraint("batch_id", name="a_return_comes_once"),
        UniqueConstraint("statement_id", "line", name="a_bank_line_is_one_return"),
    )  # fmt: skip

    id: Mapped[Id]
    batch_id: Mapped[int] = mapped_column(ForeignKey("remittance_bounce.batch_id"))
    payee_id: Mapped[int]
    amount_fen: Mapped[int]
    statement_id: Mapped[int]
    line: Mapped[int]
    by_reference: Mapped[bool]
    found_at: Mapped[datetime]


class LineMeaning(Request, Base):
    """What somebody says of a bank line that is nothing we expected, and what another decided on that.

    `fee_borne`: the unit paid in what WeChat had kept, so that the treasury is paid gross; once accepted it is posted.
    `elsewhere`: it is no business of this platform's.
    """

    __tablename__ = "line_meaning"
    __table_args__ = (
        ForeignKeyConstraint(
            ["statement_id", "line", "amount_fen"],
            [f"bank_line.{name}" for name in ("statement_id", "number", "amount_fen")],
            name="a_meaning_is_of_one_bank_line",
        ),
        ForeignKeyConstraint(
            ["statement_id", "payee_id"], ["bank_statement.id", "bank_statement.payee_id"],
            name="a_meaning_is_of_its_payees_bank",
        ),
        ForeignKeyConstraint(
            ["payee_id", "regime"], ["payee.id", "payee.regime"], name="a_meaning_has_its_payees_regime"
        ),
        CheckConstraint(f"meaning IN ({words(MEANINGS)})", name="a_bank_line_means_a_known_thing"),
        CheckConstraint(
            f"meaning <> '{FEE_BORNE}' OR regime = 'TREASURY' AND amount_fen > 0",
            name="a_unit_bears_the_treasurys_fees",
        ),
        CheckConstraint(f"state IN ({words(MEANING_STATES)})", name="a_meaning_is_in_a_known_state"),
        CheckConstraint("decided_by <> made_by", name="a_meaning_is_decided_by_another_person"),
        CheckConstraint(
            "num_nonnulls(decided_by, decided_at, decided_because) = CASE state WHEN 'waiting' THEN 0 ELSE 3 END",
            name="a_decided_meaning_says_how_and_why",
        ),
        CheckConstraint("because <> '' AND decided_because <> ''", name="a_meaning_says_something"),
        Index(
            "a_bank_line_means_one_thing", "statement_id", "line", unique=True,
            postgresql_where=text("state <> 'rejected'"),
        ),
    )  # fmt: skip

    id: Mapped[Id]
    statement_id: Mapped[int]
    line: Mapped[int]
    payee_id: Mapped[int]
    regime: Mapped[str]
    amount_fen: Mapped[int]
    meaning: Mapped[str]


class SettlementArrival(Base):
    """A settlement of WeChat's (提现) is this line of the bank's: each at most once."""

    __tablename__ = "settlement_arrival"
    __table_args__ = (
        UniqueConstraint("flow_id", name="a_settlement_arrives_once"),
        UniqueConstraint("statement_id", "line", name="a_bank_line_is_one_settlement"),
        ForeignKeyConstraint(
            ["statement_id", "line"], ["bank_line.statement_id", "bank_line.number"],
            name="a_settlement_arrives_by_a_line_of_the_bank",
        ),
    )  # fmt: skip

    id: Mapped[Id]
    flow_id: Mapped[str]
    """资金流水号 of the fund-flow bill's line."""
    statement_id: Mapped[int]
    line: Mapped[int]
    by_reference: Mapped[bool]
    """The bank named WeChat's number; else sum and day were enough, and only one line had them."""
    found_at: Mapped[datetime]
