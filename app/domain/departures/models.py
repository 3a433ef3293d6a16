"""Reminders to leave in time; calls about cars that did not, and tows."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id, Key


class Reminder(Base):
    """Reminder (离场提醒) to whoever is parked when the lot closes soon; `closes_at` as it was known then."""

    __tablename__ = "reminder"
    id: Mapped[Id]
    stay_id: Mapped[int] = mapped_column(ForeignKey("stay.id"))
    kind: Mapped[str]
    closes_at: Mapped[datetime]
    reminded_at: Mapped[datetime]
    __table_args__ = (
        UniqueConstraint("stay_id", "kind", name="a_stay_is_reminded_once_of_a_kind"),
        CheckConstraint("kind IN ('first', 'second', 'closing', 'after')", name="a_reminder_is_of_a_known_kind"),
        CheckConstraint("kind <> 'after' OR reminded_at >= closes_at", name="a_late_reminder_comes_after_closing"),
        CheckConstraint("kind = 'after' OR kind = 'closing' OR reminded_at < closes_at",
                        name="an_early_reminder_comes_before_closing"),
    )  # fmt: skip


class OverstayCall(Base):
    """Call (电话联系) about a car that is in though its time is over: who called, when, and what came of it."""

    __tablename__ = "overstay_call"
    id: Mapped[Id]
    stay_id: Mapped[int] = mapped_column(ForeignKey("stay.id"))
    by_account: Mapped[int] = mapped_column(ForeignKey("staff_account.id"))
    at: Mapped[datetime]
    result: Mapped[str]
    __table_args__ = (
        UniqueConstraint("id", "stay_id", "at", name="a_call_is_about_one_stay"),
        CheckConstraint("result IN ('promised', 'refused', 'no_answer', 'no_number')", name="a_call_has_a_result"),
        Index("ix_overstay_call_stay_id", "stay_id"),
    )


class Tow(Base):
    """Tow (拖移) of a car that blocks the unit: ordered upon a call, approved by another person, carried out, or off.

    `until` is when the stay should have ended; `called_at` is the moment of the call that it rests on, `company`,
    `taken_to` and `reference` (of the pictures) tell how it was carried out.
    """

    __tablename__ = "tow"
    id: Mapped[Id]
    key: Mapped[Key]
    stay_id: Mapped[int] = mapped_column(ForeignKey("stay.id"))
    until: Mapped[datetime]
    call_id: Mapped[int]
    called_at: Mapped[datetime]
    state: Mapped[str]
    why: Mapped[str]
    ordered_by: Mapped[int] = mapped_column(ForeignKey("staff_account.id"))
    ordered_at: Mapped[datetime]
    approved_by: Mapped[int | None] = mapped_column(ForeignKey("staff_account.id"))
    approved_at: Mapped[datetime | None]
    company: Mapped[str | None]
    taken_to: Mapped[str | None]
    reference: Mapped[str | None]
    towed_at: Mapped[datetime | None]
    ended_because: Mapped[str | None]
    __table_args__ = (
        ForeignKeyConstraint(
            ["call_id", "stay_id", "called_at"],
            ["overstay_call.id", "overstay_call.stay_id", "overstay_call.at"],
            name="a_tow_rests_on_a_call_about_the_same_car",
        ),
        Index("a_car_is_towed_once_at_a_time", "stay_id", unique=True, postgresql_where=text("state <> 'off'")),
        CheckConstraint("state IN ('ordered', 'approved', 'towed', 'off')", name="a_tow_is_in_a_known_state"),
        CheckConstraint("why <> ''", name="a_tow_has_its_reason"),
        CheckConstraint("until < called_at AND called_at < ordered_at", name="a_tow_comes_after_the_call"),
        CheckConstraint("approved_by <> ordered_by", name="nobody_approves_his_own_tow"),
        CheckConstraint("(approved_by IS NULL) = (approved_at IS NULL)", name="an_approved_tow_says_who_and_when"),
        CheckConstraint(
            "state NOT IN ('approved', 'towed') OR approved_by IS NOT NULL", name="a_car_is_towed_upon_approval"
        ),
        CheckConstraint(
            "num_nonnulls(company, taken_to, reference, towed_at) = CASE state WHEN 'towed' THEN 4 ELSE 0 END",
            name="a_tow_tells_where_the_car_is",
        ),
        CheckConstraint("(state = 'off') = (ended_because IS NOT NULL)", name="a_tow_that_is_off_says_why"),
    )
