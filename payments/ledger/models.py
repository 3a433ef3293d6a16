"""Accounts, journals and postings. The program reads them; only `post_journal` in the database writes them."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id

CODES = (
    "'wx_receivable', 'bank', 'suspense_short', 'treasury_refund_claim', 'wx_fee', 'customer_prepaid', "
    "'refund_payable', 'refund_abnormal', 'suspense_long', 'due_to_treasury', 'revenue'"
)


class Account(Base):
    """One account in one payee's books (科目). The treasury's and the enterprises' never mix."""

    __tablename__ = "account"
    __table_args__ = (
        UniqueConstraint("payee_id", "code", name="a_payee_keeps_an_account_once"),
        UniqueConstraint("id", "payee_id", name="an_account_belongs_to_one_payee"),
        ForeignKeyConstraint(
            ["payee_id", "regime"], ["payee.id", "payee.regime"], name="an_account_has_its_payees_regime"
        ),
        CheckConstraint(f"code IN ({CODES})", name="an_account_stands_in_the_chart"),
        CheckConstraint(
            "code NOT IN ('due_to_treasury', 'treasury_refund_claim') OR regime = 'TREASURY'",
            name="only_a_treasury_payee_owes_the_treasury",
        ),
        CheckConstraint("code <> 'revenue' OR regime = 'SOE'", name="only_an_enterprise_has_revenue"),
        CheckConstraint("kind IN ('asset', 'expense', 'liability', 'income')", name="an_account_is_of_a_known_kind"),
        CheckConstraint(
            "(normal_side = 'debit') = (kind IN ('asset', 'expense')) AND normal_side IN ('debit', 'credit')",
            name="an_accounts_side_follows_its_kind",
        ),
    )

    id: Mapped[Id]
    payee_id: Mapped[int]
    regime: Mapped[str]
    code: Mapped[str]
    kind: Mapped[str]
    normal_side: Mapped[str]


class Journal(Base):
    """One business event in the books (凭证): balanced, of one payee, never changed."""

    __tablename__ = "journal"
    __table_args__ = (
        UniqueConstraint("kind", "business_ref", name="a_reference_is_posted_once"),
        UniqueConstraint("id", "payee_id", name="a_journal_belongs_to_one_payee"),
        UniqueConstraint("reverses_id", name="a_journal_is_reversed_once"),
        ForeignKeyConstraint(["payee_id"], ["payee.id"]),
        ForeignKeyConstraint(
            ["reverses_id", "payee_id"], ["journal.id", "journal.payee_id"], name="a_reversal_stays_with_its_payee"
        ),
        CheckConstraint("octet_length(intent_hash) = 32", name="an_intent_rests_as_sha256"),
        Index("ix_journal_payee_id_posted_on", "payee_id", "posted_on"),
        Index("ix_journal_posted_on", "posted_on"),
    )

    id: Mapped[Id]
    kind: Mapped[str]
    business_ref: Mapped[str]
    payee_id: Mapped[int]
    event_at: Mapped[datetime]
    """When it happened, by the channel's clock where there is one."""
    posted_on: Mapped[date]
    """The accounting day in Hangzhou on which it entered the books."""
    intent_hash: Mapped[bytes]
    reverses_id: Mapped[int | None]
    transaction_id: Mapped[int] = mapped_column(server_default=func.txid_current())
    """PostgreSQL's transaction that wrote it: no posting can join from a later one."""


class Posting(Base):
    """One line of a journal (分录): signed fen, a debit positive."""

    __tablename__ = "posting"
    __table_args__ = (
        ForeignKeyConstraint(
            ["journal_id", "payee_id"], ["journal.id", "journal.payee_id"], name="a_posting_has_its_journals_payee"
        ),
        ForeignKeyConstraint(
            ["account_id", "payee_id"], ["account.id", "account.payee_id"], name="a_posting_has_its_accounts_payee"
        ),
        CheckConstraint("amount_fen <> 0", name="a_posting_moves_something"),
        Index("ix_posting_journal_id", "journal_id"),
        Index("ix_posting_account_id", "account_id"),
    )

    id: Mapped[Id]
    journal_id: Mapped[int]
    account_id: Mapped[int]
    payee_id: Mapped[int]
    amount_fen: Mapped[int]


class AccountingDay(Base):
    """A day whose books are closed (会计日): nothing is posted on it or before it any more, and it never opens again.

    What was wrong is reversed on a day that is open. Written by `close_accounting_day` alone.
    """

    __tablename__ = "accounting_day"
    __table_args__ = (UniqueConstraint("day", name="a_day_is_closed_once"),)

    id: Mapped[Id]
    day: Mapped[date]
    closed_at: Mapped[datetime]
    closed_by: Mapped[str]


class Turnover(Base):
    """What one account moved on a closed day by journals of one kind (日发生额). Derived: can be made again.

    What two persons reversed and posted anew counts as of the kind that was wrong (`counted_kind`).
    """

    __tablename__ = "turnover_daily"
    __table_args__ = (
        CheckConstraint("debit_fen >= 0 AND credit_fen >= 0 AND postings > 0", name="a_turnover_moved_something"),
    )

    day: Mapped[date] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    debit_fen: Mapped[int]
    credit_fen: Mapped[int]
    postings: Mapped[int]


class DailyBalance(Base):
    """What one account held at the end of a closed day on which it moved (日余额), a debit positive. Derived."""

    __tablename__ = "balance_daily"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    closing_fen: Mapped[int]
