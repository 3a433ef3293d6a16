"""Tariffs, the government-priced lots around, and which of them bound which lot's fee."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Computed, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB, TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id, Key

COSTS_NOTHING = (
    "NOT jsonb_path_exists(parameters, '$.**.method ? (@ != \"free\")') "
    "AND NOT jsonb_path_exists(parameters, '$.overstay ? (@ != null)') "
    "AND NOT jsonb_path_exists(parameters, '$.occupancy ? (@ != null)')"
)


class TariffVersion(Base):
    """Tariff (收费标准) in the one JSON form; immutable once stored, so that its id stands for every word of it.

    `is_free`: no band of it charges, nor does an overstay or an occupied charger.
    """

    __tablename__ = "tariff_version"
    id: Mapped[Id]
    key: Mapped[Key]
    name: Mapped[str] = mapped_column(unique=True)
    document: Mapped[str]
    parameters: Mapped[dict[str, Any]]
    stored_at: Mapped[datetime]
    is_free: Mapped[bool] = mapped_column(Computed(COSTS_NOTHING, persisted=True))
    __table_args__ = (UniqueConstraint("id", "is_free", name="a_tariff_costs_something_or_nothing"),)


class LotTariff(Base):
    """Which tariff a lot charges by, from when to when, and the published price that says so.

    Rows without a price come from before prices were published.

    `running` says what its beginning does to stays that run then: `entry` leaves them at the tariff of their entry,
    `split` prices what lies after it by this one.
    """

    __tablename__ = "lot_tariff"
    id: Mapped[Id]
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    tariff_id: Mapped[int] = mapped_column(ForeignKey("tariff_version.id"))
    valid: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    running: Mapped[str] = mapped_column(server_default="entry")
    price_id: Mapped[int | None]
    __table_args__ = (
        ForeignKeyConstraint(
            ["price_id", "lot_id", "tariff_id", "running"],
            ["lot_price.id", "lot_price.lot_id", "lot_price.tariff_id", "lot_price.running"],
            name="a_lot_charges_by_its_own_price",
        ),
        ExcludeConstraint(("lot_id", "="), ("valid", "&&"), name="a_lot_has_one_tariff_at_a_time", using="gist"),
        UniqueConstraint("id", "tariff_id", name="a_lots_tariff_is_one_version"),
        CheckConstraint("running IN ('entry', 'split')", name="a_running_stay_is_kept_or_split"),
        Index("ix_lot_tariff_lot_id_begin", "lot_id", text("lower(valid)")),
    )


class ReferenceLot(Base):
    """Government-priced lot (政府定价管理停车场), or a zone (价区) whose standard tariff stands in where none is near.

    What it charges, where it lies and on which approval that rests is told by its versions.
    """

    __tablename__ = "reference_lot"
    id: Mapped[Id]
    key: Mapped[Key]
    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    __table_args__ = (CheckConstraint("kind IN ('lot', 'zone')", name="a_reference_is_of_a_known_kind"),)


class ReferenceVersion(Base):
    """What one document says of a reference (N3.3): approval number, GCJ-02 point or outline, tariff, valid dates.

    Proposed by one price officer, approved by another, on a stored document; versions without one come from before
    the register asked for it. A correction (`corrects_id`) stands in another version's place from its beginning.
    """

    __tablename__ = "reference_version"
    id: Mapped[Id]
    key: Mapped[Key]
    reference_id: Mapped[int] = mapped_column(ForeignKey("reference_lot.id"))
    version: Mapped[int]
    approval: Mapped[str]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    outline: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    tariff_id: Mapped[int] = mapped_column(ForeignKey("tariff_version.id"))
    valid: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id"))
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("reference_version.id"))
    why: Mapped[str]
    state: Mapped[str]
    proposed_by: Mapped[int | None] = mapped_column(ForeignKey("staff_account.id"))
    proposed_at: Mapped[datetime]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("staff_account.id"))
    decided_at: Mapped[datetime | None]
    decided_because: Mapped[str | None]
    __table_args__ = (
        UniqueConstraint("reference_id", "version", name="a_reference_numbers_each_version_once"),
        UniqueConstraint("id", "tariff_id", name="a_reference_version_has_one_tariff"),
        Index("a_reference_has_one_proposal", "reference_id", unique=True, postgresql_where=text("state = 'proposed'")),
        ExcludeConstraint(
            ("reference_id", "="), ("valid", "&&"), name="a_reference_has_one_tariff_at_a_time", using="gist",
            where=text("state = 'approved'"),
        ),
        CheckConstraint("approval <> ''", name="a_reference_names_its_approval"),
        CheckConstraint(
            "latitude BETWEEN 29 AND 31 AND longitude BETWEEN 118 AND 121", name="a_reference_lies_in_hangzhou"
        ),
        CheckConstraint(
            "num_nonnulls(latitude, longitude) IN (0, 2) AND (latitude IS NULL) = (outline IS NOT NULL)",
            name="a_reference_has_a_point_or_an_outline",
        ),
        CheckConstraint("NOT isempty(valid)", name="a_reference_holds_for_some_time"),
        CheckConstraint(
            "state IN ('proposed', 'approved', 'declined', 'superseded')", name="a_reference_is_in_a_known_state"
        ),
        CheckConstraint(
            "state <> 'proposed' OR (proposed_by IS NOT NULL AND file_id IS NOT NULL)",
            name="a_reference_is_proposed_on_a_document",
        ),
        CheckConstraint(
            "state = 'declined' OR proposed_by <> decided_by", name="nobody_approves_his_own_reference"
        ),
        CheckConstraint(
            "(state = 'proposed') = (decided_at IS NULL) AND (decided_by IS NULL OR decided_at IS NOT NULL) "
            "AND (proposed_by IS NULL OR state = 'proposed' OR decided_by IS NOT NULL)",
            name="a_decided_reference_says_who_and_when",
        ),
    )  # fmt: skip


class ReferenceSet(Base):
    """Which references bound the fees of a lot (周围参照): proposed by a radius or a person, approved by another.

    It holds for stays that begin in `valid`. Sets without a proposer come from before the register asked for one.
    """

    __tablename__ = "reference_set"
    id: Mapped[Id]
    key: Mapped[Key]
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    version: Mapped[int]
    radius_m: Mapped[int | None]
    why: Mapped[str]
    state: Mapped[str]
    proposed_by: Mapped[int | None] = mapped_column(ForeignKey("staff_account.id"))
    proposed_at: Mapped[datetime]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("staff_account.id"))
    decided_at: Mapped[datetime | None]
    decided_because: Mapped[str | None]
    valid: Mapped[Range[datetime] | None] = mapped_column(TSTZRANGE)
    __table_args__ = (
        UniqueConstraint("lot_id", "version", name="a_lot_numbers_each_set_once"),
        UniqueConstraint("id", "lot_id", name="a_set_is_of_one_lot"),
        Index("a_lot_has_one_proposed_set", "lot_id", unique=True, postgresql_where=text("state = 'proposed'")),
        Index("a_lot_has_one_approved_set", "lot_id", unique=True, postgresql_where=text("state = 'approved'")),
        ExcludeConstraint(("lot_id", "="), ("valid", "&&"), name="a_lot_has_one_set_at_a_time", using="gist"),
        CheckConstraint(
            "state IN ('proposed', 'approved', 'declined', 'superseded')", name="a_set_is_in_a_known_state"
        ),
        CheckConstraint("state <> 'proposed' OR proposed_by IS NOT NULL", name="a_set_is_proposed_by_somebody"),
        CheckConstraint(
            "state = 'declined' OR proposed_by <> decided_by", name="nobody_approves_his_own_set"
        ),
        CheckConstraint(
            "(state = 'proposed') = (decided_at IS NULL) AND (decided_by IS NULL OR decided_at IS NOT NULL) "
            "AND (proposed_by IS NULL OR state = 'proposed' OR decided_by IS NOT NULL)",
            name="a_decided_set_says_who_and_when",
        ),
        CheckConstraint(
            "(state IN ('approved', 'superseded')) = (valid IS NOT NULL) AND NOT isempty(valid)",
            name="an_approved_set_holds_for_some_time",
        ),
    )  # fmt: skip


class ReferenceSetMember(Base):
    """A reference in a set, with the distance in metres from the lot; a zone has none."""

    __tablename__ = "reference_set_member"
    set_id: Mapped[int] = mapped_column(ForeignKey("reference_set.id"), primary_key=True)
    reference_id: Mapped[int] = mapped_column(ForeignKey("reference_lot.id"), primary_key=True)
    distance_m: Mapped[int | None]
    __table_args__ = (
        CheckConstraint("distance_m >= 0", name="a_distance_is_not_negative"),
        Index("ix_reference_set_member_reference_id", "reference_id"),
    )


class CapRule(Base):
    """Rule (组合规则) by which the fees of several references become one cap, and the legal note that it rests on."""

    __tablename__ = "cap_rule"
    id: Mapped[Id]
    scope: Mapped[str]
    scope_id: Mapped[int]
    rule: Mapped[str]
    legal_note: Mapped[str]
    valid: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    set_by: Mapped[int] = mapped_column(ForeignKey("staff_account.id"))
    set_at: Mapped[datetime]
    __table_args__ = (
        ExcludeConstraint(
            ("scope", "="), ("scope_id", "="), ("valid", "&&"), name="a_place_has_one_cap_rule_at_a_time", using="gist"
        ),
        CheckConstraint("(scope = 'city') = (scope_id = 0)", name="the_citys_cap_rule_names_no_place"),
        CheckConstraint("scope IN ('city', 'unit', 'lot')", name="a_cap_rule_holds_for_city_unit_or_lot"),
        CheckConstraint("rule IN ('lowest', 'highest', 'average')", name="a_cap_rule_is_one_of_three"),
        CheckConstraint("legal_note <> ''", name="a_cap_rule_says_on_what_it_rests"),
        CheckConstraint("NOT isempty(valid)", name="a_cap_rule_holds_for_some_time"),
    )


class CapProof(Base):
    """Proof (不高于证明) that no stay costs more by a tariff than the lot's references allow, or its counterexample.

    It speaks of exactly one tariff, set of references, rule and calendars (`inputs`, `digest`), for entries from
    `first_day` to `last_day`. `content_digest` names the same without lot and references: what was proved of equal
    tariffs is not proved again. `is_unbounded`: some stay has a price here and none in any reference.
    """

    __tablename__ = "cap_proof"
    id: Mapped[Id]
    key: Mapped[Key]
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    tariff_id: Mapped[int]
    is_free: Mapped[bool]
    set_id: Mapped[int | None]
    inputs: Mapped[dict[str, Any]]
    digest: Mapped[bytes]
    content_digest: Mapped[bytes]
    first_day: Mapped[date]
    last_day: Mapped[date]
    holds: Mapped[bool]
    is_unbounded: Mapped[bool] = mapped_column(Computed("result @> '{\"unbounded\": true}'", persisted=True))
    result: Mapped[dict[str, Any]]
    explanation: Mapped[str]
    proved_by: Mapped[int | None] = mapped_column(ForeignKey("staff_account.id"))
    proved_at: Mapped[datetime]
    __table_args__ = (
        UniqueConstraint("lot_id", "digest", "first_day", name="the_same_is_proved_once"),
        UniqueConstraint("id", "lot_id", "tariff_id", "holds", name="a_proof_holds_or_fails"),
        UniqueConstraint("id", "is_unbounded", name="a_proof_bounds_all_stays_or_not"),
        ForeignKeyConstraint(
            ["set_id", "lot_id"], ["reference_set.id", "reference_set.lot_id"], name="a_proof_is_about_the_lots_own_set"
        ),
        ForeignKeyConstraint(
            ["tariff_id", "is_free"], ["tariff_version.id", "tariff_version.is_free"], name="a_proof_knows_its_tariff"
        ),
        CheckConstraint(
            "octet_length(digest) = 32 AND octet_length(content_digest) = 32", name="a_proof_names_its_inputs"
        ),
        CheckConstraint(
            "NOT holds OR is_free OR set_id IS NOT NULL", name="a_price_above_nothing_is_proved_against_references"
        ),
        CheckConstraint(
            "holds OR jsonb_typeof(result -> 'counterexample') = 'object'",
            name="a_failed_proof_shows_its_counterexample",
        ),
        CheckConstraint("explanation <> ''", name="a_proof_is_explained"),
        CheckConstraint("first_day <= last_day", name="a_proof_covers_some_days"),
        Index("ix_cap_proof_content_digest", "content_digest", "first_day"),
    )


class LotPrice(Base):
    """Price (定价) of a lot, one row a version: drafted by its unit, proved, published by a price officer (N3.3).

    Published, it says from when it holds and what motorists are told; `needs_no_notice` says why it may hold sooner
    than `notice_days` after its publication: it is the lot's `first` price, or nowhere above the former one (`lower`).
    `unbounded_because` says why stays may be charged for which no reference has a price, if there are such.
    """

    __tablename__ = "lot_price"
    id: Mapped[Id]
    key: Mapped[Key]
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    version: Mapped[int]
    tariff_id: Mapped[int] = mapped_column(ForeignKey("tariff_version.id"))
    running: Mapped[str]
    wanted_from: Mapped[datetime | None]
    state: Mapped[str]
    made_by: Mapped[int] = mapped_column(ForeignKey("staff_account.id"))
    made_at: Mapped[datetime]
    proof_id: Mapped[int | None]
    proof_holds: Mapped[bool | None] = mapped_column(
        Computed(
            "CASE state WHEN 'proved' THEN true WHEN 'published' THEN true WHEN 'failed' THEN false END", persisted=True
        )
    )
    published_by: Mapped[int | None] = mapped_column(ForeignKey("staff_account.id"))
    published_at: Mapped[datetime | None]
    effective_from: Mapped[datetime | None]
    notice: Mapped[str | None]
    notice_days: Mapped[int | None]
    needs_no_notice: Mapped[str | None]
    unbounded_because: Mapped[str | None]
    answers_unbounded: Mapped[bool | None] = mapped_column(
        Computed("CASE state WHEN 'published' THEN unbounded_because IS NOT NULL END", persisted=True)
    )
    __table_args__ = (
        UniqueConstraint("lot_id", "version", name="a_lot_numbers_each_price_once"),
        UniqueConstraint("id", "lot_id", "tariff_id", "running", name="a_price_is_one_lots_one_tariff"),
        ForeignKeyConstraint(
            ["proof_id", "lot_id", "tariff_id", "proof_holds"],
            ["cap_proof.id", "cap_proof.lot_id", "cap_proof.tariff_id", "cap_proof.holds"],
            name="a_price_rests_on_its_own_proof",
        ),
        ForeignKeyConstraint(
            ["proof_id", "answers_unbounded"],
            ["cap_proof.id", "cap_proof.is_unbounded"],
            name="a_price_says_why_stays_are_unbounded",
        ),
        Index(
            "a_lot_has_one_price_in_the_making", "lot_id",
            unique=True, postgresql_where=text("state IN ('draft', 'proved', 'failed')"),
        ),
        Index("ix_lot_price_effective_from", "effective_from", postgresql_where=text("state = 'published'")),
        CheckConstraint(
            "state IN ('draft', 'proved', 'failed', 'published', 'withdrawn')", name="a_price_is_in_a_known_state"
        ),
        CheckConstraint("running IN ('entry', 'split')", name="a_price_keeps_or_splits_running_stays"),
        CheckConstraint(
            "state NOT IN ('proved', 'failed', 'published') OR proof_id IS NOT NULL",
            name="a_decided_price_has_its_proof",
        ),
        CheckConstraint("published_by <> made_by", name="nobody_publishes_his_own_price"),
        CheckConstraint(
            "num_nonnulls(published_by, published_at, effective_from, notice, notice_days) "
            "= CASE state WHEN 'published' THEN 5 ELSE 0 END",
            name="a_published_price_says_who_and_from_when",
        ),
        CheckConstraint("notice <> ''", name="a_published_price_is_announced"),
        CheckConstraint(
            "unbounded_because IS NULL OR unbounded_because <> '' AND state = 'published'",
            name="only_a_published_price_leaves_stays_unbounded",
        ),
        CheckConstraint("effective_from >= published_at", name="a_price_is_announced_before_it_holds"),
        CheckConstraint("needs_no_notice IN ('first', 'lower')", name="only_a_first_or_lower_price_needs_no_notice"),
        CheckConstraint(
            "needs_no_notice IS NOT NULL OR effective_from >= published_at + notice_days * interval '24 hours'",
            name="a_dearer_price_is_announced_in_time",
        ),
    )  # fmt: skip


class LotPriceStep(Base):
    """Step (办理记录) in the life of a lot's price: which event, who took it, why, when. Append-only."""

    __tablename__ = "lot_price_step"
    id: Mapped[Id]
    price_id: Mapped[int] = mapped_column(ForeignKey("lot_price.id"))
    event: Mapped[str]
    by_account: Mapped[int] = mapped_column(ForeignKey("staff_account.id"))
    why: Mapped[str]
    at: Mapped[datetime]
    __table_args__ = (Index("ix_lot_price_step_price_id_id", "price_id", "id"),)


class FreeSpan(Base):
    """Span (免费时段) in which a lot takes no money, by an adjustment; for public money only on an approved basis."""

    __tablename__ = "free_span"
    id: Mapped[Id]
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    valid: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    adjustment_id: Mapped[int] = mapped_column(ForeignKey("adjustment.id"))
    __table_args__ = (
        CheckConstraint("(isfinite(lower(valid)) AND isfinite(upper(valid))) IS TRUE", name="free_time_ends"),
        CheckConstraint("lower_inc(valid) AND NOT upper_inc(valid)", name="free_time_is_half_open"),
        UniqueConstraint("lot_id", "adjustment_id", name="an_adjustment_frees_a_lot_once"),
    )
