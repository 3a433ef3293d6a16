"""Charges, the WeChat orders that ask for them, payments, and what we said to WeChat and heard from it."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id, Key
from app.kernel.forgetting import forgotten_after
from payments.charges.rules import CHARGE_STATES, OPEN_ORDER, ORDER_STATES, STRAY, words

OF_AN_OPEN_ORDER = text(f"order_state IN ({words(OPEN_ORDER)})")


class Charge(Base):
    """What one motorist owes one payee for one thing (应收). A debt does not expire; its orders do.

    Payee, amount and source are fixed when it is opened: a trigger forbids any change.
    """

    __tablename__ = "charge"
    __table_args__ = (
        UniqueConstraint("source_kind", "source_key", name="a_source_is_charged_once"),
        UniqueConstraint("id", "payee_id", name="a_charge_belongs_to_one_payee"),
        UniqueConstraint("id", "payee_id", "amount_fen", name="a_charge_has_one_amount"),
        UniqueConstraint("key", "payee_id", "amount_fen", name="a_charge_is_known_with_payee_and_amount"),
        CheckConstraint("amount_fen >= 0", name="a_charge_is_never_negative"),
        CheckConstraint(f"motorist_id IS NOT NULL OR source_kind = '{STRAY}'", name="only_what_strayed_is_nobodys"),
        CheckConstraint(f"state IN ({words(CHARGE_STATES)})", name="a_charge_is_in_a_known_state"),
        CheckConstraint(
            "char_length(description) BETWEEN 1 AND 127 AND description !~ '[,`]'",
            name="a_description_fits_wechats_bill",
        ),
        Index("ix_charge_motorist_id", "motorist_id"),
        Index("ix_charge_created_at", "created_at", postgresql_include=["payee_id", "amount_fen"]),
        Index("ix_charge_to_be_returned", "id", postgresql_where=text("state IN ('paid_late', 'refund_full')")),
    )

    id: Mapped[Id]
    key: Mapped[Key]
    source_kind: Mapped[str]
    source_key: Mapped[uuid.UUID]
    payee_id: Mapped[int] = mapped_column(ForeignKey("payee.id"))
    motorist_id: Mapped[int | None]
    """Whose debt, by the number that the caller uses; the money rooms know no more of them. None: of what strayed."""
    amount_fen: Mapped[int]
    description: Mapped[str]
    on_paid: Mapped[str]
    """The job to enqueue when it is paid, named by whoever opened the charge."""
    state: Mapped[str]
    created_at: Mapped[datetime]


class CombinedOrder(Base):
    """One payment to several payees (合单): a sub-order for each, so that no money ever passes through another's hands.

    It has no state of its own: each sub-order has one, and WeChat may pay one and not the other. The request body rests
    sealed (WeChat Pay v3: partner/4012792004).
    """

    __tablename__ = "combined_order"
    __table_args__ = (
        UniqueConstraint("out_trade_no", name="a_combined_number_is_used_once"),
        Index("ix_combined_order_next_check_at", "next_check_at", postgresql_where=text("next_check_at IS NOT NULL")),
        Index("ix_combined_order_not_forgotten", "created_at", postgresql_where=text("forgotten_at IS NULL")),
        *forgotten_after(365, "combined_order", "created_at", "body"),
    )

    id: Mapped[Id]
    key: Mapped[Key]
    out_trade_no: Mapped[str]
    """WeChat's `combine_out_trade_no`."""
    body: Mapped[bytes | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    next_check_at: Mapped[datetime | None]
    forgotten_at: Mapped[datetime | None]


class Order(Base):
    """One WeChat order for one payee (微信订单), alone or as a sub-order; its lines say for which charges.

    The request body rests sealed, so that a retry is byte-identical (WeChat Pay v3: partner/4012791856); that of a
    sub-order lies with the combined order, and so does the moment of the next question.
    """

    __tablename__ = "payment_order"
    __table_args__ = (
        UniqueConstraint("out_trade_no", name="an_out_trade_no_is_used_once"),
        UniqueConstraint("transaction_id", name="a_wechat_payment_pays_one_order"),
        UniqueConstraint("id", "payee_id", "state", name="an_order_is_for_one_payee_in_one_state"),
        UniqueConstraint(
            "id", "channel_id", "payee_id", "transaction_id", name="an_order_is_paid_by_one_wechat_payment"
        ),
        UniqueConstraint("combined_id", "payee_id", name="a_payee_has_one_sub_order"),
        ForeignKeyConstraint(
            ["channel_id", "payee_id"], ["merchant_channel.id", "merchant_channel.payee_id"],
            name="an_order_goes_to_its_payees_channel",
        ),
        CheckConstraint("amount_fen > 0", name="an_order_is_for_money"),
        CheckConstraint(f"state IN ({words(ORDER_STATES)})", name="an_order_is_in_a_known_state"),
        CheckConstraint("(state = 'paid') = (transaction_id IS NOT NULL)", name="a_paid_order_names_its_payment"),
        CheckConstraint(
            "state <> 'payable' OR prepay_id IS NOT NULL OR checks > 0", name="a_payable_order_was_seen_at_wechat"
        ),
        CheckConstraint(
            "forgotten_at IS NOT NULL OR (combined_id IS NULL) = (body IS NOT NULL)",
            name="a_sub_order_was_sent_with_its_whole",
        ),
        CheckConstraint(
            "forgotten_at IS NULL OR state IN ('closed', 'refused', 'paid')",
            name="an_order_that_may_be_paid_knows_its_payer",
        ),
        CheckConstraint(
            "combined_id IS NULL OR next_check_at IS NULL", name="a_sub_order_is_asked_about_with_its_whole"
        ),
        Index("ix_payment_order_next_check_at", "next_check_at", postgresql_where=text("next_check_at IS NOT NULL")),
        Index("ix_payment_order_not_forgotten", "created_at", postgresql_where=text("forgotten_at IS NULL")),
        *forgotten_after(365, "payment_order", "created_at", "payer", "body"),
    )  # fmt: skip

    id: Mapped[Id]
    key: Mapped[Key]
    combined_id: Mapped[int | None] = mapped_column(ForeignKey("combined_order.id"))
    channel_id: Mapped[int]
    payee_id: Mapped[int]
    amount_fen: Mapped[int]
    out_trade_no: Mapped[str]
    sp_appid: Mapped[str]
    payer: Mapped[bytes | None]
    """The payer's openid, sealed, until it is forgotten (`forgotten_at`), and the body with it."""
    body: Mapped[bytes | None]
    prepay_id: Mapped[str | None]
    transaction_id: Mapped[str | None]
    """WeChat's own number of the payment, once it is paid."""
    state: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    next_check_at: Mapped[datetime | None]
    """When the sweeper asks WeChat next; none: nothing more to learn, or a person must decide."""
    checks: Mapped[int] = mapped_column(default=0)
    forgotten_at: Mapped[datetime | None]


class OrderLine(Base):
    """A charge that an order asks for (订单明细), whole: at most one open order asks for a charge.

    `order_state` follows the order's by the key's own cascade; the lines of an order sum to its amount.
    """

    __tablename__ = "order_line"
    __table_args__ = (
        ForeignKeyConstraint(
            ["charge_id", "payee_id", "amount_fen"], ["charge.id", "charge.payee_id", "charge.amount_fen"],
            name="an_order_asks_for_its_charge",
        ),
        ForeignKeyConstraint(
            ["order_id", "payee_id", "order_state"],
            ["payment_order.id", "payment_order.payee_id", "payment_order.state"],
            name="a_line_follows_its_order", onupdate="CASCADE",
        ),
        UniqueConstraint("order_id", "charge_id", "payee_id", "amount_fen", name="a_line_is_for_one_sum_and_payee"),
        Index("a_charge_has_one_open_order", "charge_id", unique=True, postgresql_where=OF_AN_OPEN_ORDER),
        Index("ix_order_line_charge_id", "charge_id"),
    )  # fmt: skip

    order_id: Mapped[int] = mapped_column(primary_key=True)
    charge_id: Mapped[int] = mapped_column(primary_key=True)
    payee_id: Mapped[int]
    amount_fen: Mapped[int]
    order_state: Mapped[str]


class Payment(Base):
    """Money that WeChat holds for a payee, for one charge (收款): an order that asks for three brings three.

    `surplus`: a second payment of a charge that is paid already.
    """

    __tablename__ = "payment"
    __table_args__ = (
        UniqueConstraint("order_id", "charge_id", name="an_order_pays_a_charge_once"),
        ForeignKeyConstraint(
            ["order_id", "charge_id", "payee_id", "paid_fen"],
            [f"order_line.{name}" for name in ("order_id", "charge_id", "payee_id", "amount_fen")],
            name="a_payment_is_what_its_order_asked",
        ),
        ForeignKeyConstraint(
            ["order_id", "channel_id", "payee_id", "transaction_id"],
            [f"payment_order.{name}" for name in ("id", "channel_id", "payee_id", "transaction_id")],
            name="a_payment_is_the_one_that_paid_its_order",
        ),
        ForeignKeyConstraint(
            ["channel_id", "payee_id"], ["merchant_channel.id", "merchant_channel.payee_id"],
            name="a_payment_reaches_its_channels_payee",
        ),
        UniqueConstraint(
            "id", "charge_id", "channel_id", "payee_id", "paid_fen", "surplus",
            name="a_payment_is_one_sum_for_one_payee",
        ),
        CheckConstraint("refund_reserved_fen BETWEEN 0 AND paid_fen", name="no_more_is_refunded_than_was_paid"),
        Index("ix_payment_channel_id_paid_at", "channel_id", "paid_at"),
        Index("ix_payment_surplus_kept", "id", postgresql_where=text("surplus AND refund_reserved_fen = 0")),
        Index("a_charge_is_paid_once", "charge_id", unique=True, postgresql_where=text("NOT surplus")),
    )  # fmt: skip

    id: Mapped[Id]
    key: Mapped[Key]
    order_id: Mapped[int]
    charge_id: Mapped[int]
    channel_id: Mapped[int]
    payee_id: Mapped[int]
    transaction_id: Mapped[str]
    paid_fen: Mapped[int]
    refund_reserved_fen: Mapped[int] = mapped_column(default=0)
    surplus: Mapped[bool]
    paid_at: Mapped[datetime]
    """WeChat's `success_time`."""
    learned_at: Mapped[datetime]


class ChannelCall(Base):
    """One thing that we ask of WeChat: written before the call, answered after it. No answer means unknown."""

    __tablename__ = "channel_call"
    __table_args__ = (
        CheckConstraint("purpose IN ('create', 'close', 'refund')", name="a_call_has_a_known_purpose"),
        CheckConstraint(
            "(purpose = 'refund') = (refund_id IS NOT NULL) AND num_nonnulls(order_id, combined_id, refund_id) = 1",
            name="a_call_is_about_an_order_or_a_refund",
        ),
        CheckConstraint("state IN ('intended', 'done', 'refused', 'unknown')", name="a_call_is_in_a_known_state"),
        CheckConstraint("(state = 'intended') = (answered_at IS NULL)", name="an_answer_has_its_time"),
        Index("ix_channel_call_order_id", "order_id"),
        Index("ix_channel_call_combined_id", "combined_id", postgresql_where=text("combined_id IS NOT NULL")),
        Index("ix_channel_call_refund_id", "refund_id", postgresql_where=text("refund_id IS NOT NULL")),
    )

    id: Mapped[Id]
    order_id: Mapped[int | None] = mapped_column(ForeignKey("payment_order.id"))
    combined_id: Mapped[int | None] = mapped_column(ForeignKey("combined_order.id"))
    refund_id: Mapped[int | None] = mapped_column(ForeignKey("refund.id"))
    purpose: Mapped[str]
    request_hash: Mapped[bytes]
    state: Mapped[str]
    answer: Mapped[str | None]
    """WeChat's refusal code, or why the outcome is unknown."""
    intended_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]


class CallbackInbox(Base):
    """A verified notice, once by its id (通知收件箱). The id only spares work; the journal decides what counts."""

    __tablename__ = "callback_inbox"
    __table_args__ = (
        CheckConstraint("kind IN ('transaction', 'refund', 'unknown')", name="a_notice_is_of_a_known_kind_or_unknown"),
        Index("ix_callback_inbox_received_at", "received_at"),
        Index("ix_callback_inbox_forgotten", "received_at", postgresql_where=text("forgotten_at IS NOT NULL")),
        *forgotten_after(365, "callback_inbox", "received_at", "raw"),
    )

    channel: Mapped[str] = mapped_column(primary_key=True)
    notify_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    event_type: Mapped[str]
    raw: Mapped[bytes | None]
    """The decrypted content, sealed, until it is forgotten: it names the payer."""
    verified_by: Mapped[str]
    """Serial of the WeChat key that signed it."""
    outcome: Mapped[str]
    received_at: Mapped[datetime]
    forgotten_at: Mapped[datetime | None]


class ExceptionCase(Base):
    """What a person must look at (异常单): severity 1 is money at the wrong payee, 3 can wait a day."""

    __tablename__ = "exception_case"
    __table_args__ = (
        UniqueConstraint("kind", "reference", name="a_case_is_opened_once"),
        CheckConstraint("severity BETWEEN 1 AND 3", name="a_severity_is_one_to_three"),
        CheckConstraint("state IN ('open', 'resolved')", name="a_case_is_open_or_resolved"),
        Index("ix_exception_case_state", "state"),
    )

    id: Mapped[Id]
    key: Mapped[Key]
    kind: Mapped[str]
    reference: Mapped[str]
    severity: Mapped[int]
    state: Mapped[str]
    detail: Mapped[dict[str, Any]]
    opened_at: Mapped[datetime]
