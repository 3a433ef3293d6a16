"""Lots, their bays, and the spans in which they are open."""

from datetime import datetime, time
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id, Key


class Lot(Base):
    """Lot (停车场库) of one unit, at a GCJ-02 point. `total_bays` counts shared and unshared bays (N2.2.2).

    Its open windows are written down as far as `windows_until`; `windows_narrowed` is the running transaction that
    made some of them shorter, until it has looked after the promises in them.
    """

    __tablename__ = "lot"
    id: Mapped[Id]
    key: Mapped[Key]
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    name: Mapped[str]
    address: Mapped[str]
    latitude: Mapped[float]
    longitude: Mapped[float]
    total_bays: Mapped[int]
    total_chargers: Mapped[int]
    shared_chargers: Mapped[int]
    height_limit_cm: Mapped[int | None]
    length_limit_cm: Mapped[int | None]
    area: Mapped[str]
    state: Mapped[str]
    submitted_by: Mapped[int | None] = mapped_column(ForeignKey("staff_account.id"))
    approved_by: Mapped[int | None] = mapped_column(ForeignKey("staff_account.id"))
    windows_until: Mapped[datetime | None]
    windows_narrowed: Mapped[int | None]
    __table_args__ = (
        UniqueConstraint("unit_id", "name", name="a_unit_names_each_lot_once"),
        UniqueConstraint("id", "unit_id", name="a_lot_belongs_to_one_unit"),
        CheckConstraint("latitude BETWEEN 29 AND 31 AND longitude BETWEEN 118 AND 121", name="a_lot_lies_in_hangzhou"),
        CheckConstraint("total_bays > 0", name="a_lot_has_bays"),
        CheckConstraint("shared_chargers BETWEEN 0 AND total_chargers", name="shared_chargers_are_some_of_all"),
        CheckConstraint(
            "state IN ('draft', 'submitted', 'approved', 'open', 'suspended', 'withdrawn')",
            name="a_lot_is_in_a_known_state",
        ),
        CheckConstraint("area IN ('centre', 'commercial', 'ordinary')", name="a_lot_lies_in_one_of_three_areas"),
        CheckConstraint("height_limit_cm > 0 AND length_limit_cm > 0", name="a_limit_lets_some_vehicle_in"),
        CheckConstraint("submitted_by <> approved_by", name="nobody_approves_his_own_submission"),
        CheckConstraint(
            "state NOT IN ('approved', 'open', 'suspended') OR (submitted_by IS NOT NULL AND approved_by IS NOT NULL)",
            name="a_lot_is_approved_by_somebody",
        ),
        Index("ix_lot_latitude_longitude", "latitude", "longitude"),
        Index("ix_lot_windows_narrowed", "windows_narrowed", postgresql_where=text("windows_narrowed IS NOT NULL")),
    )


class Bay(Base):
    """Bay (泊位) that the public may use; the rows *are* the capacity, nothing else counts it."""

    __tablename__ = "bay"
    id: Mapped[Id]
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    number: Mapped[str]
    zone: Mapped[str]
    kind: Mapped[str]
    shared: Mapped[bool]
    __table_args__ = (
        UniqueConstraint("lot_id", "number", name="a_lot_numbers_each_bay_once"),
        CheckConstraint("kind IN ('standard', 'charging', 'accessible', 'large')", name="a_bay_has_one_of_four_kinds"),
    )


class Entrance(Base):
    """Entrance or exit (出入口) of a lot, at a GCJ-02 point."""

    __tablename__ = "entrance"
    id: Mapped[Id]
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    name: Mapped[str]
    latitude: Mapped[float]
    longitude: Mapped[float]
    direction: Mapped[str]
    __table_args__ = (
        UniqueConstraint("lot_id", "name", name="a_lot_names_each_entrance_once"),
        CheckConstraint("direction IN ('in', 'out', 'both')", name="an_entrance_leads_in_or_out"),
        CheckConstraint(
            "latitude BETWEEN 29 AND 31 AND longitude BETWEEN 118 AND 121", name="an_entrance_lies_in_hangzhou"
        ),
    )


class LotPhoto(Base):
    """Photo (照片) of a lot as motorists see it."""

    __tablename__ = "lot_photo"
    id: Mapped[Id]
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    file_id: Mapped[int] = mapped_column(ForeignKey("stored_file.id"))
    caption: Mapped[str]
    added_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class LotStep(Base):
    """Step (办理记录) in a lot's life: which event, who took it, why, when. Append-only."""

    __tablename__ = "lot_step"
    id: Mapped[Id]
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    event: Mapped[str]
    by_account: Mapped[int] = mapped_column(ForeignKey("staff_account.id"))
    why: Mapped[str]
    at: Mapped[datetime]
    __table_args__ = (Index("ix_lot_step_lot_id_id", "lot_id", "id"),)


class FacilityCheck(Base):
    """Facilities check (设施检查, N2.2.4): security, lighting, fire protection in order or not. Append-only."""

    __tablename__ = "facility_check"
    id: Mapped[Id]
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    security: Mapped[bool]
    lighting: Mapped[bool]
    fire: Mapped[bool]
    note: Mapped[str]
    file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id"))
    checked_by: Mapped[int] = mapped_column(ForeignKey("staff_account.id"))
    checked_at: Mapped[datetime]
    __table_args__ = (
        CheckConstraint(
            "NOT (security AND lighting AND fire) OR file_id IS NOT NULL", name="a_sound_check_shows_a_photo"
        ),
        Index("ix_facility_check_lot_id_checked_at", "lot_id", "checked_at"),
    )

    @property
    def is_sound(self) -> bool:
        """Whether everything was in order."""
        return self.security and self.lighting and self.fire


class OpeningPlan(Base):
    """Opening plan (开放方案, N4.7) of a lot, one row a version: bays, hours, safety rules, emergency plan.

    Hours are told as what differs from the rule of N2.2.1: the margins in minutes, weekdays on which the unit works
    though others rest, single dates, and the clock times between which no car may move. `withholds` are numbers of
    bays that stop being shared when the plan takes effect. A plan that is nowhere shorter than the one in force and
    shares no less takes effect without another's approval (`widens`).
    """

    __tablename__ = "opening_plan"
    id: Mapped[Id]
    key: Mapped[Key]
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    version: Mapped[int]
    state: Mapped[str]
    shared_bays: Mapped[int]
    shared_chargers: Mapped[int]
    closes_before_minutes: Mapped[int]
    opens_after_minutes: Mapped[int]
    duty_days: Mapped[list[Any]] = mapped_column(server_default="[]")
    exceptions: Mapped[list[Any]] = mapped_column(server_default="[]")
    curfew_begins: Mapped[time | None]
    curfew_ends: Mapped[time | None]
    safety_rules: Mapped[str]
    emergency_plan: Mapped[str]
    shortfall_reason: Mapped[str | None]
    withholds: Mapped[list[Any]] = mapped_column(server_default="[]")
    widens: Mapped[bool] = mapped_column(default=False)
    made_by: Mapped[int] = mapped_column(ForeignKey("staff_account.id"))
    made_at: Mapped[datetime]
    submitted_by: Mapped[int | None] = mapped_column(ForeignKey("staff_account.id"))
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("staff_account.id"))
    decided_at: Mapped[datetime | None]
    decided_because: Mapped[str | None]
    valid_from: Mapped[datetime | None]
    __table_args__ = (
        UniqueConstraint("lot_id", "version", name="a_lot_numbers_each_plan_once"),
        Index("a_lot_has_one_plan_in_force", "lot_id", unique=True, postgresql_where=text("state = 'approved'")),
        CheckConstraint(
            "state IN ('draft', 'submitted', 'approved', 'returned', 'superseded')", name="a_plan_is_in_a_known_state"
        ),
        CheckConstraint("shared_bays > 0 AND shared_chargers >= 0", name="a_plan_shares_bays"),
        CheckConstraint(
            "closes_before_minutes BETWEEN 0 AND 720 AND opens_after_minutes BETWEEN 0 AND 720",
            name="a_margin_is_between_nothing_and_half_a_day",
        ),
        CheckConstraint(
            "(curfew_begins IS NULL) = (curfew_ends IS NULL) AND curfew_begins <> curfew_ends",
            name="a_curfew_begins_and_ends",
        ),
        CheckConstraint("decided_by <> submitted_by AND decided_by <> made_by", name="nobody_decides_his_own_plan"),
        CheckConstraint("(decided_by IS NULL) = (decided_at IS NULL)", name="a_decided_plan_says_who_and_when"),
        CheckConstraint(
            "state NOT IN ('approved', 'returned', 'superseded') OR decided_by IS NOT NULL OR widens",
            name="a_plan_in_force_was_decided",
        ),
        CheckConstraint(
            "state NOT IN ('approved', 'superseded') OR valid_from IS NOT NULL", name="a_plan_in_force_holds_from_a_day"
        ),
        Index(
            "a_lot_has_one_plan_in_the_making",
            "lot_id",
            unique=True,
            postgresql_where=text("state IN ('draft', 'submitted')"),
        ),
        CheckConstraint(
            "state NOT IN ('submitted', 'approved') OR (safety_rules <> '' AND emergency_plan <> '')",
            name="a_plan_tells_safety_and_emergency",
        ),
    )


class PlanContact(Base):
    """Named person (专人, N5.4) of a plan: responsible or deputy; name and phone rest as ciphertext."""

    __tablename__ = "plan_contact"
    id: Mapped[Id]
    key: Mapped[Key]
    plan_id: Mapped[int] = mapped_column(ForeignKey("opening_plan.id"))
    role: Mapped[str]
    name_enc: Mapped[bytes]
    phone_enc: Mapped[bytes]
    duty_times: Mapped[str]
    checked_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    __table_args__ = (
        Index(
            "a_plan_names_each_person_once", "plan_id", "role",
            unique=True, postgresql_where=text("ended_at IS NULL"),
        ),
        CheckConstraint("role IN ('responsible', 'deputy')", name="a_contact_is_responsible_or_deputy"),
        CheckConstraint("duty_times <> ''", name="a_contact_tells_when_on_duty"),
        CheckConstraint("ended_at >= checked_at", name="a_contact_ends_after_it_was_checked"),
    )  # fmt: skip


class LotClosure(Base):
    """Closure (临时关闭, N5.6) of a whole lot for a span; the open windows are without it."""

    __tablename__ = "lot_closure"
    id: Mapped[Id]
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    adjustment_id: Mapped[int] = mapped_column(ForeignKey("adjustment.id"))
    __table_args__ = (
        CheckConstraint("NOT isempty(during) AND NOT lower_inf(during)", name="a_closure_begins"),
        Index("ix_lot_closure_lot_id_during", "lot_id", "during", postgresql_using="gist"),
    )


class BayClosure(Base):
    """Closure of one bay for a span: it is not for the public then."""

    __tablename__ = "bay_closure"
    id: Mapped[Id]
    bay_id: Mapped[int] = mapped_column(ForeignKey("bay.id"))
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    adjustment_id: Mapped[int] = mapped_column(ForeignKey("adjustment.id"))
    __table_args__ = (
        CheckConstraint("NOT isempty(during) AND NOT lower_inf(during)", name="a_bays_closure_begins"),
        Index("ix_bay_closure_bay_id_during", "bay_id", "during", postgresql_using="gist"),
    )


class LotAnnouncement(Base):
    """Announcement (公告, N5.6) of an adjustment as it stands beside one lot; it may be told ahead."""

    __tablename__ = "lot_announcement"
    id: Mapped[Id]
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    adjustment_id: Mapped[int] = mapped_column(ForeignKey("adjustment.id"))
    kind: Mapped[str]
    text: Mapped[str]
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    __table_args__ = (
        UniqueConstraint("lot_id", "adjustment_id", name="an_adjustment_is_announced_once_in_a_lot"),
        CheckConstraint("text <> ''", name="an_announcement_says_something"),
        CheckConstraint("NOT isempty(during) AND NOT lower_inf(during)", name="an_announcement_begins"),
        Index("ix_lot_announcement_adjustment_id", "adjustment_id"),
    )


class OpenWindow(Base):
    """Open window (共享开放时段): one maximal span in which a lot is open, from the rule of N2.2.1.

    `plan_id` is the plan that held when it began, `calendar_ids` the calendar versions of the years that it touches,
    as they were when the span was written.
    """

    __tablename__ = "open_window"
    id: Mapped[Id]
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    plan_id: Mapped[int | None] = mapped_column(ForeignKey("opening_plan.id"))
    calendar_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default="{}")
    __table_args__ = (
        CheckConstraint(
            "(lower_inc(during) AND NOT upper_inc(during) AND isfinite(lower(during)) "
            "AND isfinite(upper(during))) IS TRUE",
            name="a_window_is_a_finite_half_open_span",
        ),
        ExcludeConstraint(("lot_id", "="), ("during", "&&"), name="a_lot_has_one_window_at_a_time", using="gist"),
    )


class LotPayeeProposal(Base):
    """Who is to receive a lot's money from a moment on, as one person of finance proposes it."""

    __tablename__ = "lot_payee_proposal"
    __table_args__ = (
        UniqueConstraint(
            "id",
            "lot_id",
            "payee_id",
            "proposed_by",
            "valid_from",
            name="a_proposal_names_one_payee_from_a_moment_on",
        ),
    )

    id: Mapped[Id]
    key: Mapped[Key]
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    payee_id: Mapped[int] = mapped_column(ForeignKey("payee.id"))
    valid_from: Mapped[datetime]
    proposed_by: Mapped[str]
    proposed_at: Mapped[datetime]


class LotPayee(Base):
    """Who receives a lot's money from when to when: never two at a time, and only one whose purse is the unit's.

    One person proposed it so, another let it come true.

    The keys lead from the lot to its unit, from the unit's kind, level and district to a purse, and from there to a
    payee: what an organ or institution collects cannot reach but the treasury of its level (N3.4.1, N3.4.2).
    """

    __tablename__ = "lot_payee"
    id: Mapped[Id]
    lot_id: Mapped[int]
    unit_id: Mapped[int]
    unit_kind: Mapped[str]
    unit_level: Mapped[str]
    district_code: Mapped[str]
    payee_id: Mapped[int]
    valid: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    since: Mapped[datetime | None] = mapped_column(Computed("lower(valid)", persisted=True))
    proposal_id: Mapped[int]
    proposed_by: Mapped[str]
    confirmed_by: Mapped[str]
    purse: Mapped[str] = mapped_column(
        Computed(
            "CASE WHEN unit_kind = 'enterprise'::text THEN 'enterprise'::text "
            "WHEN unit_level = 'city'::text THEN 'city'::text ELSE district_code END",
            persisted=True,
        )
    )
    __table_args__ = (
        ForeignKeyConstraint(
            ["lot_id", "unit_id"], ["lot.id", "lot.unit_id"], name="a_lots_payee_is_for_the_lots_unit"
        ),
        ForeignKeyConstraint(
            ["unit_id", "unit_kind", "unit_level", "district_code"],
            ["unit.id", "unit.kind", "unit.level", "unit.district_code"],
            name="a_lots_payee_knows_the_unit",
        ),
        ForeignKeyConstraint(
            ["payee_id", "purse"], ["payee.id", "payee.purse"], name="a_lot_pays_the_purse_of_its_unit"
        ),
        ExcludeConstraint(("lot_id", "="), ("valid", "&&"), name="a_lot_has_one_payee_at_a_time", using="gist"),
        UniqueConstraint("proposal_id", name="a_proposal_comes_true_once"),
        ForeignKeyConstraint(
            ["proposal_id", "lot_id", "payee_id", "proposed_by", "since"],
            [f"lot_payee_proposal.{name}" for name in ("id", "lot_id", "payee_id", "proposed_by", "valid_from")],
            name="a_lots_payee_is_the_one_that_was_proposed",
        ),
        CheckConstraint("confirmed_by <> proposed_by", name="a_lots_payee_is_confirmed_by_another_person"),
    )
