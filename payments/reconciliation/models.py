"""Runs, the differences they find, who explained them, and which days are signed off."""

import uuid
from datetime import date, datetime

from sqlalchemy import (
    CheckConstraint,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id, Key
from app.kernel.two_persons import Request
from payments.charges.rules import words
from payments.reconciliation.rules import (
    CLASSES,
    CLEARING_STATES,
    ENDED_IN_NOTHING,
    GIVE_BACK,
    PLACEMENT_STATES,
    STATES,
    TARGETS,
    WAYS,
)

_OF_ITS_CHANNEL = (["channel_id", "payee_id"], ["merchant_channel.id", "merchant_channel.payee_id"])


class ReconRun(Base):
    """One comparison of a merchant's day (对账批次). A later one supersedes it and never edits it.

    Every line of the bill and every payment and refund of ours is either matched or in a difference, counted and in
    fen; what goes back is negative.
    """

    __tablename__ = "recon_run"
    __table_args__ = (
        ForeignKeyConstraint(*_OF_ITS_CHANNEL, name="a_run_is_of_its_payees_channel"),
        UniqueConstraint("id", "channel_id", "day", name="a_run_is_of_one_day"),
        CheckConstraint(
            "theirs = matched + theirs_differing AND theirs_fen = matched_fen + theirs_differing_fen",
            name="a_run_accounts_for_every_line_of_the_bill",
        ),
        CheckConstraint(
            "ours = matched + ours_differing AND ours_fen = matched_fen + ours_differing_fen",
            name="a_run_accounts_for_every_payment_of_ours",
        ),
        Index("ix_recon_run_channel_id_day", "channel_id", "day"),
    )

    id: Mapped[Id]
    channel_id: Mapped[int]
    payee_id: Mapped[int]
    day: Mapped[date]
    trade_file_id: Mapped[int] = mapped_column(ForeignKey("bill_file.id"))
    flow_file_id: Mapped[int | None] = mapped_column(ForeignKey("bill_file.id"))
    at: Mapped[datetime]
    theirs: Mapped[int]
    theirs_fen: Mapped[int]
    ours: Mapped[int]
    ours_fen: Mapped[int]
    matched: Mapped[int]
    matched_fen: Mapped[int]
    theirs_differing: Mapped[int]
    theirs_differing_fen: Mapped[int]
    ours_differing: Mapped[int]
    ours_differing_fen: Mapped[int]


class Difference(Base):
    """One thing in which a bill and we differ (差异), of one class, until it is gone or explained.

    `gap_fen` is what WeChat has more than we. `suspended` means: it stands in a suspense account, with an owner. A
    trigger lets nothing be settled or suspended without an explanation that another person accepted.
    """

    __tablename__ = "difference"
    __table_args__ = (
        ForeignKeyConstraint(*_OF_ITS_CHANNEL, name="a_difference_is_of_its_payees_channel"),
        UniqueConstraint("id", "payee_id", "gap_fen", name="a_difference_has_one_gap"),
        CheckConstraint(f"class IN ({words(CLASSES)})", name="a_difference_is_of_a_known_class"),
        CheckConstraint(f"state IN ({words(STATES)})", name="a_difference_is_in_a_known_state"),
        CheckConstraint("state <> 'suspended' OR owner IS NOT NULL", name="what_is_suspended_has_an_owner"),
        Index(
            "a_difference_is_found_once", "channel_id", "day", "class", "subject", unique=True,
            postgresql_where=text("state <> 'gone'"),
        ),
        Index("ix_difference_next_check_at", "next_check_at", postgresql_where=text("next_check_at IS NOT NULL")),
        Index("ix_difference_unexplained", "id", postgresql_where=text("state IN ('open', 'held')")),
        Index("ix_difference_suspended", "id", postgresql_where=text("state = 'suspended'")),
    )  # fmt: skip

    id: Mapped[Id]
    key: Mapped[Key]
    channel_id: Mapped[int]
    payee_id: Mapped[int]
    day: Mapped[date]
    klass: Mapped[str] = mapped_column("class")
    subject: Mapped[str]
    """WeChat's number of the payment or refund."""
    out_trade_no: Mapped[str | None]
    out_refund_no: Mapped[str | None]
    file_id: Mapped[int | None]
    line: Mapped[int | None]
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payment.id"))
    refund_id: Mapped[int | None] = mapped_column(ForeignKey("refund.id"))
    theirs_fen: Mapped[int]
    ours_fen: Mapped[int]
    gap_fen: Mapped[int] = mapped_column(Computed("theirs_fen - ours_fen", persisted=True))
    state: Mapped[str]
    owner: Mapped[str | None]
    first_run_id: Mapped[int] = mapped_column(ForeignKey("recon_run.id"))
    last_run_id: Mapped[int] = mapped_column(ForeignKey("recon_run.id"))
    opened_at: Mapped[datetime]
    moved_at: Mapped[datetime]
    next_check_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)


class Explanation(Base):
    """What somebody says of a difference, and what another decided on that."""

    __tablename__ = "explanation"
    __table_args__ = (
        CheckConstraint("decided_by <> made_by", name="an_explanation_is_decided_by_another_person"),
        CheckConstraint(
            "num_nonnulls(decided_by, decided_at, decided_because, accepted) IN (0, 4)",
            name="a_decided_explanation_says_how_and_why",
        ),
        CheckConstraint("because <> ''", name="an_explanation_says_something"),
        Index(
            "a_difference_waits_for_one_decision", "difference_id", unique=True,
            postgresql_where=text("decided_by IS NULL"),
        ),
    )  # fmt: skip

    id: Mapped[Id]
    key: Mapped[Key]
    difference_id: Mapped[int] = mapped_column(ForeignKey("difference.id"))
    because: Mapped[str]
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decided_because: Mapped[str | None]
    accepted: Mapped[bool | None]


class DayProposal(Base):
    """Somebody says that a merchant's day is explained, as one run found it (提请日结)."""

    __tablename__ = "day_proposal"
    __table_args__ = (
        ForeignKeyConstraint(
            ["run_id", "channel_id", "day"], ["recon_run.id", "recon_run.channel_id", "recon_run.day"],
            name="a_proposal_is_of_its_runs_day",
        ),
        UniqueConstraint("run_id", name="a_run_is_proposed_once"),
        UniqueConstraint("id", "channel_id", "day", "made_by", name="a_proposal_is_somebodys"),
    )  # fmt: skip

    id: Mapped[Id]
    run_id: Mapped[int]
    channel_id: Mapped[int]
    day: Mapped[date]
    made_by: Mapped[str]
    made_at: Mapped[datetime]


class DaySignOff(Base):
    """Another person agrees: the day is closed (日结), for bills and for runs."""

    __tablename__ = "day_sign_off"
    __table_args__ = (
        ForeignKeyConstraint(
            ["proposal_id", "channel_id", "day", "made_by"],
            [f"day_proposal.{name}" for name in ("id", "channel_id", "day", "made_by")],
            name="a_sign_off_answers_its_proposal",
        ),
        ForeignKeyConstraint(*_OF_ITS_CHANNEL, name="a_sign_off_is_of_its_payees_channel"),
        UniqueConstraint("channel_id", "day", name="a_day_is_signed_off_once"),
        CheckConstraint("signed_by <> made_by", name="a_day_is_signed_off_by_another_person"),
    )

    id: Mapped[Id]
    key: Mapped[Key]
    proposal_id: Mapped[int]
    channel_id: Mapped[int]
    payee_id: Mapped[int]
    day: Mapped[date]
    made_by: Mapped[str]
    signed_by: Mapped[str]
    signed_at: Mapped[datetime]


class SuspenseClearing(Request, Base):
    """Somebody says which differences in suspense offset each other and why (清账); another person decides.

    Accepted means: each of them is cleared and its posting reversed, which the database checks at commit.
    """

    __tablename__ = "suspense_clearing"
    __table_args__ = (
        UniqueConstraint("id", "payee_id", "state", name="a_clearing_is_one_payees"),
        CheckConstraint(f"target IN ({words(TARGETS)})", name="a_clearing_is_against_a_known_thing"),
        CheckConstraint(f"state IN ({words(CLEARING_STATES)})", name="a_clearing_is_in_a_known_state"),
        CheckConstraint("decided_by <> made_by", name="a_clearing_is_decided_by_another_person"),
        CheckConstraint(
            "num_nonnulls(decided_by, decided_at, decided_because) = CASE state WHEN 'waiting' THEN 0 ELSE 3 END",
            name="a_decided_clearing_says_how_and_why",
        ),
        CheckConstraint("because <> '' AND decided_because <> ''", name="a_clearing_says_something"),
    )

    id: Mapped[Id]
    payee_id: Mapped[int] = mapped_column(ForeignKey("payee.id"))
    target: Mapped[str]
    target_key: Mapped[uuid.UUID]
    """Public key of the charge, the refund, or of the difference that was named."""


class SuspenseClearingLine(Base):
    """A difference that a clearing takes out of suspense, whole; its state follows by the key's cascade."""

    __tablename__ = "suspense_clearing_line"
    __table_args__ = (
        ForeignKeyConstraint(
            ["clearing_id", "payee_id", "state"],
            [f"suspense_clearing.{name}" for name in ("id", "payee_id", "state")],
            name="a_clearings_line_follows_it", onupdate="CASCADE",
        ),
        ForeignKeyConstraint(
            ["difference_id", "payee_id", "gap_fen"], [f"difference.{name}" for name in ("id", "payee_id", "gap_fen")],
            name="a_clearing_takes_the_whole_of_its_payees_difference",
        ),
        Index(
            "a_difference_is_cleared_once", "difference_id", unique=True, postgresql_where=text("state <> 'rejected'")
        ),
    )  # fmt: skip

    clearing_id: Mapped[int] = mapped_column(primary_key=True)
    difference_id: Mapped[int] = mapped_column(primary_key=True)
    payee_id: Mapped[int]
    gap_fen: Mapped[int]
    state: Mapped[str]


class SurplusOwner(Base):
    """Whose it is to clear up a second payment in suspense; the newest word counts."""

    __tablename__ = "surplus_owner"
    __table_args__ = (
        CheckConstraint("owner <> '' AND assigned_by <> ''", name="an_owner_is_named_by_somebody"),
        Index("ix_surplus_owner_payment_id", "payment_id"),
    )

    id: Mapped[Id]
    payment_id: Mapped[int] = mapped_column(ForeignKey("payment.id"))
    owner: Mapped[str]
    assigned_by: Mapped[str]
    assigned_at: Mapped[datetime]


class StrayPlacement(Request, Base):
    """Somebody says where a payment goes of which only WeChat knows (长款): to a debt, or back; another decides.

    Accepted means: WeChat is asked, and the payment takes the one path that all payments take, for that charge. Keys
    hold charge and payment to one payee and one sum. `placed` means that it has, which the database checks at commit.
    """

    __tablename__ = "stray_placement"
    __table_args__ = (
        ForeignKeyConstraint(
            ["difference_id", "payee_id", "amount_fen"],
            [f"difference.{name}" for name in ("id", "payee_id", "gap_fen")], name="a_stray_is_placed_whole",
        ),
        ForeignKeyConstraint(
            ["charge_id", "payee_id", "amount_fen"], [f"charge.{name}" for name in ("id", "payee_id", "amount_fen")],
            name="a_stray_pays_its_payees_charge_to_the_fen",
        ),
        CheckConstraint(f"way IN ({words(WAYS)})", name="a_stray_goes_a_known_way"),
        CheckConstraint("amount_fen > 0", name="a_stray_is_money_that_came"),
        CheckConstraint(f"state IN ({words(PLACEMENT_STATES)})", name="a_placement_is_in_a_known_state"),
        CheckConstraint(
            f"charge_id IS NOT NULL OR way = '{GIVE_BACK}' AND state IN ('waiting', 'rejected')",
            name="a_stray_that_is_placed_has_its_charge",
        ),
        CheckConstraint("decided_by <> made_by", name="a_placement_is_decided_by_another_person"),
        CheckConstraint(
            "num_nonnulls(decided_by, decided_at, decided_because) = CASE state WHEN 'waiting' THEN 0 ELSE 3 END",
            name="a_decided_placement_says_how_and_why",
        ),
        CheckConstraint("because <> '' AND decided_because <> ''", name="a_placement_says_something"),
        CheckConstraint(
            "next_check_at IS NULL OR state = 'accepted'", name="wechat_is_asked_while_a_placement_is_accepted"
        ),
        Index(
            "a_stray_is_placed_once", "difference_id", unique=True,
            postgresql_where=text(f"state NOT IN ({words(ENDED_IN_NOTHING)})"),
        ),
        Index("ix_stray_placement_next_check_at", "next_check_at", postgresql_where=text("next_check_at IS NOT NULL")),
    )  # fmt: skip

    id: Mapped[Id]
    difference_id: Mapped[int]
    payee_id: Mapped[int]
    amount_fen: Mapped[int]
    way: Mapped[str]
    charge_id: Mapped[int | None]
    next_check_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)


class AgreedRate(Base):
    """At which rate WeChat's fee was agreed for a merchant (约定费率), in millionths, from a day on.

    It counts once another person confirmed it, and then stays.
    """

    __tablename__ = "agreed_rate"
    __table_args__ = (
        ForeignKeyConstraint(*_OF_ITS_CHANNEL, name="an_agreed_rate_is_of_its_payees_channel"),
        CheckConstraint("rate_ppm BETWEEN 0 AND 20000", name="an_agreed_rate_is_up_to_two_percent"),
        CheckConstraint("note <> ''", name="an_agreed_rate_names_its_basis"),
        CheckConstraint("confirmed_by <> recorded_by", name="an_agreed_rate_is_confirmed_by_another_person"),
        CheckConstraint("(confirmed_by IS NULL) = (confirmed_at IS NULL)", name="a_confirmed_rate_has_its_time"),
        Index(
            "a_merchant_agrees_one_rate_a_day", "channel_id", "since", unique=True,
            postgresql_where=text("confirmed_by IS NOT NULL"),
        ),
    )  # fmt: skip

    id: Mapped[Id]
    key: Mapped[Key]
    channel_id: Mapped[int]
    payee_id: Mapped[int]
    since: Mapped[date]
    rate_ppm: Mapped[int]
    note: Mapped[str]
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime]
    confirmed_by: Mapped[str | None]
    confirmed_at: Mapped[datetime | None]
