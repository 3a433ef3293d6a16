"""Receipts: what each paid charge is owed, the bills and invoices that were issued, and what stands on them."""

import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id, Key
from payments.charges.rules import words
from payments.receipts.rules import LIVE, RECEIPT_STATES, WITH_A_NUMBER

_LIVE_BLUE = text(f"colour = 'blue' AND receipt_state IN ({words(LIVE)})")
_DUE = text("next_check_at IS NOT NULL")


class InvoiceTitle(Base):
    """To whom a motorist has receipts made out (抬头): themselves by name, or a company with its tax number."""

    __tablename__ = "invoice_title"
    __table_args__ = (
        UniqueConstraint("id", "motorist_id", name="a_title_is_one_motorists"),
        CheckConstraint("is_credit_code(tax_number)", name="a_titles_tax_number_has_its_check_digit"),
        Index(
            "a_motorist_keeps_a_company_once", "motorist_id", "tax_number", unique=True,
            postgresql_where=text("removed_at IS NULL AND tax_number IS NOT NULL"),
        ),
        Index(
            "a_motorist_has_one_usual_title", "motorist_id", unique=True,
            postgresql_where=text("is_usual AND removed_at IS NULL"),
        ),
        Index("ix_invoice_title_motorist_id", "motorist_id"),
    )  # fmt: skip

    id: Mapped[Id]
    key: Mapped[Key]
    motorist_id: Mapped[int]
    name: Mapped[bytes]
    """Sealed: it may be a person's; empty when its motorist was erased."""
    tax_number: Mapped[str | None]
    is_usual: Mapped[bool]
    made_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class ReceiptRequest(Base):
    """What a paid charge is owed (开票申请): 财政电子票据 for the treasury's payees, 数电票 for enterprises.

    The regime is the payee's own by foreign key, and the kind follows from it by a CHECK. A fiscal bill is wanted from
    the payment on; an invoice from when the motorist asks, alone or `together` with others.
    """

    __tablename__ = "receipt_request"
    __table_args__ = (
        UniqueConstraint("charge_id", name="a_charge_has_one_receipt"),
        ForeignKeyConstraint(
            ["charge_id", "payee_id"], ["charge.id", "charge.payee_id"], name="a_receipt_has_its_charges_payee"
        ),
        ForeignKeyConstraint(
            ["payee_id", "regime"], ["payee.id", "payee.regime"], name="a_receipt_has_its_payees_regime"
        ),
        ForeignKeyConstraint(
            ["title_id", "motorist_id"], ["invoice_title.id", "invoice_title.motorist_id"],
            name="a_receipt_is_made_out_by_its_motorist",
        ),
        CheckConstraint(
            "kind = CASE regime WHEN 'TREASURY' THEN 'fiscal_ebill' ELSE 'tax_invoice' END",
            name="the_treasury_gives_fiscal_ebills_and_enterprises_tax_invoices",
        ),
        CheckConstraint("amount_fen > 0", name="a_receipt_is_for_money"),
        CheckConstraint("kind <> 'fiscal_ebill' OR wanted_at IS NOT NULL", name="a_fiscal_bill_is_wanted_at_once"),
        Index("ix_receipt_request_motorist_id", "motorist_id"),
        Index("ix_receipt_request_together", "together", postgresql_where=text("together IS NOT NULL")),
        Index("ix_receipt_request_next_check_at", "next_check_at", postgresql_where=_DUE),
    )  # fmt: skip

    id: Mapped[Id]
    key: Mapped[Key]
    charge_id: Mapped[int]
    payee_id: Mapped[int]
    regime: Mapped[str]
    kind: Mapped[str]
    motorist_id: Mapped[int]
    amount_fen: Mapped[int]
    requested_at: Mapped[datetime]
    wanted_at: Mapped[datetime | None]
    title_id: Mapped[int | None]
    together: Mapped[uuid.UUID | None]
    next_check_at: Mapped[datetime | None]
    """When it is looked at next: whether a receipt stands for it, and for the right sum."""


class Receipt(Base):
    """One bill or invoice (票据), blue, or red to take a blue one back whole; numbered by its platform."""

    __tablename__ = "receipt"
    __table_args__ = (
        UniqueConstraint("request_no", name="a_receipt_is_asked_for_under_one_number"),
        UniqueConstraint("kind", "code", "number", name="a_receipts_number_is_used_once"),
        UniqueConstraint("id", "payee_id", "colour", "state", name="a_receipt_is_of_one_payee_in_one_state"),
        UniqueConstraint("id", "payee_id", "amount_fen", name="a_receipt_is_for_one_sum"),
        UniqueConstraint("id", "motorist_id", "number", name="a_receipt_is_one_motorists_under_one_number"),
        ForeignKeyConstraint(
            ["payee_id", "regime"], ["payee.id", "payee.regime"], name="an_issued_receipt_has_its_payees_regime"
        ),
        ForeignKeyConstraint(["terms_id", "payee_id"], ["receipt_terms.id", "receipt_terms.payee_id"],
            name="a_receipt_rests_on_its_payees_terms"),
        ForeignKeyConstraint(
            ["reverses_id", "payee_id", "amount_fen"], ["receipt.id", "receipt.payee_id", "receipt.amount_fen"],
            name="a_red_receipt_takes_back_the_whole",
        ),
        CheckConstraint(
            "kind = CASE regime WHEN 'TREASURY' THEN 'fiscal_ebill' ELSE 'tax_invoice' END",
            name="an_issued_receipt_is_of_its_regimes_kind",
        ),
        CheckConstraint("colour IN ('blue', 'red')", name="a_receipt_is_blue_or_red"),
        CheckConstraint("(colour = 'red') = (reverses_id IS NOT NULL)", name="a_red_receipt_names_the_blue_one"),
        CheckConstraint("colour = 'blue' OR state NOT IN ('reversing', 'reversed')", name="a_red_receipt_stays"),
        CheckConstraint("amount_fen > 0 AND tax_fen BETWEEN 0 AND amount_fen", name="an_issued_receipt_is_for_money"),
        CheckConstraint(f"state IN ({words(RECEIPT_STATES)})", name="a_receipt_is_in_a_known_state"),
        CheckConstraint(
            f"(state IN ({words(WITH_A_NUMBER)})) = (number IS NOT NULL) AND (number IS NULL) = (issued_at IS NULL)",
            name="an_issued_receipt_has_number_and_date",
        ),
        CheckConstraint("(state = 'refused') = (refusal IS NOT NULL)", name="a_refused_receipt_says_why"),
        Index(
            "a_receipt_is_reversed_once", "reverses_id", unique=True, postgresql_where=text("state <> 'refused'")
        ),
        Index("ix_receipt_next_check_at", "next_check_at", postgresql_where=_DUE),
        Index("ix_receipt_motorist_id", "motorist_id"),
        Index("ix_receipt_news_at", "news_at", postgresql_where=text("news_at IS NOT NULL")),
    )  # fmt: skip

    id: Mapped[Id]
    key: Mapped[Key]
    payee_id: Mapped[int]
    regime: Mapped[str]
    kind: Mapped[str]
    motorist_id: Mapped[int]
    terms_id: Mapped[int]
    colour: Mapped[str]
    reverses_id: Mapped[int | None]
    amount_fen: Mapped[int]
    tax_fen: Mapped[int]
    payer_name: Mapped[bytes | None]
    """Sealed; none: 个人."""
    payer_tax_number: Mapped[str | None]
    remark: Mapped[bytes]
    """Sealed: it names plates."""
    request_no: Mapped[str]
    """Under which its platform is asked, for ever."""
    news_at: Mapped[datetime | None]
    """Since when its motorist is to hear of it; none: they have."""
    state: Mapped[str]
    made_at: Mapped[datetime]
    next_check_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    code: Mapped[str | None]
    number: Mapped[str | None]
    check_code: Mapped[str | None]
    issued_at: Mapped[datetime | None]
    refusal: Mapped[str | None]


class ReceiptLine(Base):
    """A charge on a receipt, with the part of it that was not given back; the receipt's state follows by cascade."""

    __tablename__ = "receipt_line"
    __table_args__ = (
        ForeignKeyConstraint(
            ["receipt_id", "payee_id", "colour", "receipt_state"],
            ["receipt.id", "receipt.payee_id", "receipt.colour", "receipt.state"],
            name="a_receipt_line_follows_its_receipt", onupdate="CASCADE",
        ),
        ForeignKeyConstraint(
            ["charge_id", "payee_id"], ["charge.id", "charge.payee_id"], name="a_receipt_line_has_its_charges_payee"
        ),
        CheckConstraint("amount_fen > 0 AND tax_fen BETWEEN 0 AND amount_fen", name="a_receipt_line_is_for_money"),
        Index("a_charge_has_one_live_receipt", "charge_id", unique=True, postgresql_where=_LIVE_BLUE),
        Index("ix_receipt_line_charge_id", "charge_id"),
    )  # fmt: skip

    receipt_id: Mapped[int] = mapped_column(primary_key=True)
    charge_id: Mapped[int] = mapped_column(primary_key=True)
    payee_id: Mapped[int]
    amount_fen: Mapped[int]
    tax_fen: Mapped[int]
    about: Mapped[bytes]
    """Sealed: what was paid for, in words that name a plate."""
    colour: Mapped[str]
    receipt_state: Mapped[str]


class ReceiptLease(Base):
    """What an invoice of lease (特定业务 06 不动产经营租赁服务) says beside its one line; the rest its terms say.

    An invoice has one if and only if its terms are of that form, by a trigger that looks when the transaction ends.
    """

    __tablename__ = "receipt_lease"
    __table_args__ = (
        CheckConstraint(
            "btrim(address) <> '' AND btrim(certificate_number) <> ''", name="a_lease_names_address_and_certificate"
        ),
        CheckConstraint("begins_on <= ends_on", name="a_lease_ends_after_it_begins"),
    )

    receipt_id: Mapped[int] = mapped_column(ForeignKey("receipt.id"), primary_key=True, autoincrement=False)
    address: Mapped[str]
    """不动产地址."""
    certificate_number: Mapped[str]
    """产权证书或不动产权证号, or 无."""
    begins_on: Mapped[date]
    """租赁期起止, with `ends_on`; both days are included."""
    ends_on: Mapped[date]


class ReceiptCall(Base):
    """One thing that a platform was asked: written before the call, answered after it. No answer means unknown."""

    __tablename__ = "receipt_call"
    __table_args__ = (
        CheckConstraint("purpose IN ('issue', 'find')", name="a_receipt_call_has_a_known_purpose"),
        CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", name="a_receipt_answer_has_its_time"),
        Index("ix_receipt_call_receipt_id", "receipt_id"),
    )

    id: Mapped[Id]
    receipt_id: Mapped[int] = mapped_column(ForeignKey("receipt.id"))
    purpose: Mapped[str]
    intended_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    answer: Mapped[str | None]
    """issued, pending, refused, absent or silent."""
