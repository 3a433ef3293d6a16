"""Refunds: one row a number at WeChat, with who asked, why, and who decided."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id, Key
from payments.charges.rules import words
from payments.refunds.rules import (
    BY_TREASURY,
    CHANNEL,
    LAW_REASONS,
    OVER,
    PLATFORM,
    REASONS,
    REFUND_STATES,
    TREASURYS,
    UNSENT,
    WAYS,
)

NOT_OVER = text(f"state NOT IN ({words(OVER)})")


class Refund(Base):
    """Money of one payment that goes back (退款), under one `out_refund_no` for ever.

    `asked_by` is a person, or `platform` where the law of the charge's graph returns the whole payment.
    What is promised of a payment is kept on it as `refund_reserved_fen`; a trigger holds the two together. Money that
    was remitted comes back from the treasury (退付, `way`): another trigger tells which way a refund goes.
    """

    __tablename__ = "refund"
    __table_args__ = (
        UniqueConstraint("out_refund_no", name="an_out_refund_no_is_used_once"),
        UniqueConstraint("refund_id", name="a_wechat_refund_is_known_once"),
        ForeignKeyConstraint(
            ["payment_id", "charge_id", "channel_id", "payee_id", "paid_fen", "surplus"],
            [f"payment.{name}" for name in ("id", "charge_id", "channel_id", "payee_id", "paid_fen", "surplus")],
            name="a_refund_is_of_one_payment",
        ),
        ForeignKeyConstraint(
            ["payee_id", "regime"], ["payee.id", "payee.regime"], name="a_refund_has_its_payees_regime"
        ),
        CheckConstraint("amount_fen BETWEEN 1 AND paid_fen", name="a_refund_is_for_money_that_was_paid"),
        CheckConstraint(
            "from_prepaid_fen BETWEEN 0 AND amount_fen AND (from_prepaid_fen = 0 OR NOT surplus)",
            name="a_refund_is_drawn_from_where_the_money_lies",
        ),
        CheckConstraint(f"reason IN ({words(REASONS)})", name="a_refund_has_a_reason_from_the_list"),
        CheckConstraint("reason <> 'goodwill' OR regime = 'SOE'", name="nobody_gives_the_treasurys_money_away"),
        CheckConstraint(
            f"(asked_by = '{PLATFORM}') = (reason IN ({words(LAW_REASONS)})) "
            f"AND (asked_by = '{PLATFORM}') = (basis IS NULL)",
            name="the_platform_returns_what_the_law_says_and_persons_say_why",
        ),
        CheckConstraint(
            f"asked_by <> '{PLATFORM}' OR amount_fen = paid_fen", name="the_platform_returns_whole_payments"
        ),
        CheckConstraint("decided_by <> asked_by", name="a_refund_is_decided_by_another_person"),
        CheckConstraint(
            f"state IN ('requested', 'rejected') OR asked_by = '{PLATFORM}' OR amount_fen <= alone_up_to_fen "
            "OR decided_by IS NOT NULL",
            name="a_large_refund_needs_two_persons",
        ),
        CheckConstraint("state <> 'rejected' OR decided_by IS NOT NULL", name="somebody_rejects_a_refund"),
        CheckConstraint("(decided_by IS NULL) = (decided_at IS NULL)", name="a_decision_has_its_time"),
        CheckConstraint(
            f"(state IN ({words(UNSENT)}) OR way = '{BY_TREASURY}') = (body IS NULL)",
            name="a_refund_that_was_sent_says_what",
        ),
        CheckConstraint(f"way IN ({words(WAYS)})", name="a_refund_goes_one_of_two_ways"),
        CheckConstraint(
            f"way = '{CHANNEL}' OR regime = 'TREASURY' AND from_prepaid_fen = 0 AND NOT surplus "
            f"AND asked_by <> '{PLATFORM}'",
            name="only_earned_treasury_money_comes_from_the_treasury",
        ),
        CheckConstraint(
            f"way = '{CHANNEL}' OR state IN ('requested', 'rejected') OR decided_by IS NOT NULL",
            name="what_the_treasury_returns_needs_two_persons",
        ),
        CheckConstraint(
            f"CASE way WHEN '{CHANNEL}' THEN state <> 'filed' ELSE state IN ({words(TREASURYS)}) END",
            name="a_refund_takes_the_steps_of_its_way",
        ),
        CheckConstraint(
            f"(way = '{BY_TREASURY}' AND state IN ('filed', 'success', 'closed')) = (document_number IS NOT NULL)",
            name="a_filed_refund_has_its_document",
        ),
        CheckConstraint(
            f"(way = '{BY_TREASURY}' AND state = 'success') = (voucher_number IS NOT NULL)",
            name="a_treasury_pays_under_a_voucher",
        ),
        CheckConstraint("document_number <> '' AND voucher_number <> ''", name="a_refunds_papers_have_numbers"),
        CheckConstraint(f"state IN ({words(REFUND_STATES)})", name="a_refund_is_in_a_known_state"),
        Index("ix_refund_payment_id", "payment_id"),
        Index("ix_refund_charge_id", "charge_id"),
        Index("ix_refund_channel_id_moved_at", "channel_id", "moved_at"),
        Index("ix_refund_moved_at", "moved_at"),
        Index("ix_refund_next_check_at", "next_check_at", postgresql_where=text("next_check_at IS NOT NULL")),
    )

    id: Mapped[Id]
    key: Mapped[Key]
    payment_id: Mapped[int]
    charge_id: Mapped[int]
    channel_id: Mapped[int]
    payee_id: Mapped[int]
    regime: Mapped[str]
    paid_fen: Mapped[int]
    surplus: Mapped[bool]
    amount_fen: Mapped[int]
    from_prepaid_fen: Mapped[int]
    """How much of it had not been earned yet; the rest is income that is given back."""
    reason: Mapped[str]
    basis: Mapped[str | None]
    """Why, in the words of who asked; nothing personal."""
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]
    alone_up_to_fen: Mapped[int]
    """Up to this sum nobody else was needed: the policy of that moment less what was promised of the payment before."""
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decided_because: Mapped[str | None]
    out_refund_no: Mapped[str]
    body: Mapped[bytes | None]
    """The request as it was first sent, so that a retry is byte-identical."""
    refund_id: Mapped[str | None]
    """WeChat's own number of it."""
    state: Mapped[str]
    moved_at: Mapped[datetime]
    next_check_at: Mapped[datetime | None]
    checks: Mapped[int] = mapped_column(default=0)
    way: Mapped[str] = mapped_column(server_default=CHANNEL)
    """`channel`: through WeChat; `treasury`: 退付, under the papers of the finance bureau."""
    document_number: Mapped[str | None]
    """退付申请书号: under which the finance bureau has the claim."""
    voucher_number: Mapped[str | None]
    """退付凭证号: under which the treasury paid."""
    on_moved: Mapped[str]
    """The job to enqueue with `refund_id` at each step, named by whoever asked."""
