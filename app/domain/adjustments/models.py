"""Adjustments, the lots that they touch, the promises that they displace, and what allows public money to be waived."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import TSTZRANGE, Range
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id, Key


class WaiverBasis(Base):
    """Basis (减免依据) on which public money may be waived: a document, recorded by one person, approved by another.

    It covers a span and the whole city, a district or one unit. Who may waive public money on his own? Nobody
    (浙江省政府非税收入管理条例 art. 20).
    """

    __tablename__ = "waiver_basis"
    id: Mapped[Id]
    key: Mapped[Key]
    document_no: Mapped[str]
    text: Mapped[str]
    file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id"))
    district_code: Mapped[str | None] = mapped_column(ForeignKey("district.code"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    covers: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    recorded_by: Mapped[int] = mapped_column(ForeignKey("staff_account.id"))
    recorded_at: Mapped[datetime]
    approved_by: Mapped[int | None] = mapped_column(ForeignKey("staff_account.id"))
    approved_at: Mapped[datetime | None]
    __table_args__ = (
        CheckConstraint("document_no <> '' AND (text <> '' OR file_id IS NOT NULL)", name="a_basis_can_be_read"),
        CheckConstraint("(isfinite(lower(covers)) AND isfinite(upper(covers))) IS TRUE", name="a_basis_covers_a_span"),
        CheckConstraint("recorded_by <> approved_by", name="nobody_approves_his_own_basis"),
        CheckConstraint("(approved_by IS NULL) = (approved_at IS NULL)", name="an_approved_basis_says_who_and_when"),
    )


class Adjustment(Base):
    """Adjustment (动态调整): what changes for a span, why, by whom, and in which words the public is told (N5.6)."""

    __tablename__ = "adjustment"
    id: Mapped[Id]
    key: Mapped[Key]
    kind: Mapped[str]
    scope: Mapped[str]
    district_code: Mapped[str | None] = mapped_column(ForeignKey("district.code"))
    reason_class: Mapped[str]
    reason: Mapped[str]
    announcement: Mapped[str]
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    review_at: Mapped[datetime | None]
    basis_id: Mapped[int | None] = mapped_column(ForeignKey("waiver_basis.id"))
    by_account: Mapped[int] = mapped_column(ForeignKey("staff_account.id"))
    ordered: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether a regulator made it: then no unit and no operator ends it."""
    made_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("staff_account.id"))
    ended_because: Mapped[str | None]
    request_key: Mapped[uuid.UUID]
    __table_args__ = (
        UniqueConstraint("request_key", name="an_adjustment_is_made_once"),
        CheckConstraint(
            "kind IN ('close', 'bays', 'hours', 'free', 'calendar', 'suspension')",
            name="an_adjustment_is_of_a_known_kind",
        ),
        CheckConstraint("scope IN ('lots', 'district', 'city')", name="an_adjustment_has_a_known_scope"),
        CheckConstraint("(scope = 'district') = (district_code IS NOT NULL)", name="a_districts_adjustment_names_it"),
        CheckConstraint(
            "reason_class IN ('major_event', 'emergency', 'construction', 'unit_duty', 'safety', 'calendar', 'other', "
            "'suspension')",
            name="an_adjustment_has_a_known_reason",
        ),
        CheckConstraint("reason <> '' AND announcement <> ''", name="an_adjustment_says_why_and_tells_the_public"),
        CheckConstraint(
            "(lower_inc(during) AND isfinite(lower(during)) AND NOT upper_inc(during)) IS TRUE",
            name="an_adjustment_begins",
        ),
        CheckConstraint(
            "NOT upper_inf(during) OR (kind = 'close' AND reason_class = 'emergency' AND review_at IS NOT NULL) "
            "OR kind = 'suspension'",
            name="an_adjustment_ends_or_is_an_emergency_under_review",
        ),
        CheckConstraint("basis_id IS NULL OR kind = 'free'", name="only_free_time_rests_on_a_basis"),
        CheckConstraint(
            "num_nonnulls(ended_at, ended_by, ended_because) IN (0, 3)", name="an_ended_adjustment_says_who_and_why"
        ),
    )


class AdjustmentLot(Base):
    """One lot of an adjustment: `applied_at` once its promises are cared for, `reopened_at` once it is as before."""

    __tablename__ = "adjustment_lot"
    adjustment_id: Mapped[int] = mapped_column(ForeignKey("adjustment.id"), primary_key=True)
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"), primary_key=True)
    applied_at: Mapped[datetime | None]
    reopened_at: Mapped[datetime | None]
    __table_args__ = (
        Index("ix_adjustment_lot_lot_id", "lot_id"),
        Index("ix_adjustment_lot_pending", "adjustment_id", "lot_id", postgresql_where=text("applied_at IS NULL")),
    )


class Displacement(Base):
    """Displacement (预约变更): a reservation lost its bay; the motorist was told, and what he was offered instead.

    `outcome` is empty until another bay was looked for; an offer is a held claim, so its end needs no sweeper.
    """

    __tablename__ = "displacement"
    id: Mapped[Id]
    claim_id: Mapped[int] = mapped_column(ForeignKey("bay_claim.id"), unique=True)
    reservation_id: Mapped[int] = mapped_column(ForeignKey("reservation.id"), unique=True)
    adjustment_id: Mapped[int] = mapped_column(ForeignKey("adjustment.id"))
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"))
    displaced_at: Mapped[datetime]
    outcome: Mapped[str | None]
    offer_claim_id: Mapped[int | None] = mapped_column(ForeignKey("bay_claim.id"), unique=True)
    answered_at: Mapped[datetime | None]
    __table_args__ = (
        CheckConstraint("outcome IN ('nothing_near', 'offered', 'accepted', 'declined')", name="an_offer_ends_somehow"),
        CheckConstraint(
            "(offer_claim_id IS NOT NULL) = (outcome IS NOT NULL AND outcome <> 'nothing_near')",
            name="an_offer_names_its_bay",
        ),
        CheckConstraint(
            "(answered_at IS NOT NULL) = (outcome IS NOT NULL AND outcome IN ('accepted', 'declined'))",
            name="an_answer_has_its_moment",
        ),
        Index("ix_displacement_adjustment_id", "adjustment_id"),
        Index("ix_displacement_unsought", "id", postgresql_where=text("outcome IS NULL")),
    )
