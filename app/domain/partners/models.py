"""Partners (接入方): their keys, what they told about which lot, and what was refused of them.

Secrets rest sealed; plates are the city's one row of a plate, sealed beside its blind index. Counts, reports of visits
and refusals are append-only.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id, Key


class Partner(Base):
    """Partner (接入方): the own system of one unit or of one operator. A revoked one never speaks again."""

    __tablename__ = "partner"
    id: Mapped[Id]
    key: Mapped[Key]
    name: Mapped[str]
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    operator_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    registered_by: Mapped[int] = mapped_column(ForeignKey("staff_account.id"))
    registered_at: Mapped[datetime]
    revoked_by: Mapped[int | None] = mapped_column(ForeignKey("staff_account.id"))
    revoked_at: Mapped[datetime | None]
    revoked_because: Mapped[str | None]
    __table_args__ = (
        UniqueConstraint("name", name="a_partner_has_a_name_of_its_own"),
        CheckConstraint("name <> ''", name="a_partner_has_a_name"),
        CheckConstraint("num_nonnulls(unit_id, operator_id) = 1", name="a_partner_speaks_for_a_unit_or_an_operator"),
        CheckConstraint(
            "num_nonnulls(revoked_by, revoked_at, revoked_because) IN (0, 3) AND revoked_because <> ''",
            name="a_revocation_says_who_and_why",
        ),
    )


class PartnerKey(Base):
    """A secret of one partner, sealed. Two slots, so that a new key is in use before the old one ends."""

    __tablename__ = "partner_key"
    id: Mapped[Id]
    partner_id: Mapped[int] = mapped_column(ForeignKey("partner.id"))
    key_id: Mapped[str]
    slot: Mapped[int] = mapped_column(SmallInteger)
    secret_enc: Mapped[bytes]
    valid: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    __table_args__ = (
        UniqueConstraint("partner_id", "key_id", name="a_key_is_named_once_per_partner"),
        CheckConstraint("slot IN (1, 2)", name="a_partner_has_two_key_slots"),
        CheckConstraint("NOT isempty(valid) AND lower_inc(valid)", name="a_partners_key_is_valid_for_some_time"),
        ExcludeConstraint(
            ("partner_id", "="), ("slot", "="), ("valid", "&&"),
            name="two_keys_of_a_partner_are_valid_at_most", using="gist",
        ),
    )  # fmt: skip


class PartnerNonce(Base):
    """A number used once, kept until no message could use it any more."""

    __tablename__ = "partner_nonce"
    partner_id: Mapped[int] = mapped_column(ForeignKey("partner.id"), primary_key=True)
    nonce: Mapped[str] = mapped_column(primary_key=True)
    seen_at: Mapped[datetime]
    __table_args__ = (Index("ix_partner_nonce_seen_at", "seen_at"),)


class PartnerLot(Base):
    """That a partner has told something about a lot; whoever writes more of it locks this row first.

    `heard_at`: the last count or visit that took effect. `silence_noted_at`: when somebody was told of its silence.
    """

    __tablename__ = "partner_lot"
    partner_id: Mapped[int] = mapped_column(ForeignKey("partner.id"), primary_key=True)
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"), primary_key=True)
    own_code: Mapped[str | None]
    heard_at: Mapped[datetime | None]
    silence_noted_at: Mapped[datetime | None]
    __table_args__ = (
        UniqueConstraint("partner_id", "own_code", name="a_partner_gives_a_code_to_one_lot"),
        CheckConstraint("own_code <> ''", name="a_partners_code_says_something"),
        Index("ix_partner_lot_lot_id", "lot_id"),
    )


class LotCount(Base):
    """Free shared bays of a lot (剩余泊位数) as a partner counted them at a moment; absolute, append-only."""

    __tablename__ = "lot_count"
    id: Mapped[Id]
    partner_id: Mapped[int]
    lot_id: Mapped[int]
    free: Mapped[int]
    total: Mapped[int]
    charging_free: Mapped[int | None]
    counted_at: Mapped[datetime]
    received_at: Mapped[datetime]
    __table_args__ = (
        ForeignKeyConstraint(
            ["partner_id", "lot_id"], ["partner_lot.partner_id", "partner_lot.lot_id"],
            name="a_count_is_of_a_partners_lot",
        ),
        UniqueConstraint("partner_id", "lot_id", "counted_at", name="a_moment_is_counted_once"),
        CheckConstraint("free BETWEEN 0 AND total", name="free_bays_are_some_of_all"),
        CheckConstraint("charging_free BETWEEN 0 AND free", name="free_charging_bays_are_some_of_the_free"),
        CheckConstraint("counted_at <= received_at + interval '5 minutes'", name="a_count_is_not_from_the_future"),
        Index("ix_lot_count_lot_id_counted_at", "lot_id", "counted_at"),
    )  # fmt: skip


class PartnerVisit(Base):
    """One car's visit (进出场记录) under the partner's own number; what is known of it are its reports."""

    __tablename__ = "partner_visit"
    id: Mapped[Id]
    partner_id: Mapped[int]
    lot_id: Mapped[int]
    uid: Mapped[str]
    first_at: Mapped[datetime]
    __table_args__ = (
        ForeignKeyConstraint(
            ["partner_id", "lot_id"], ["partner_lot.partner_id", "partner_lot.lot_id"],
            name="a_visit_is_to_a_partners_lot",
        ),
        UniqueConstraint("partner_id", "lot_id", "uid", name="a_visit_is_known_once"),
        Index("ix_partner_visit_lot_id", "lot_id"),
    )  # fmt: skip


class PartnerVisitReport(Base):
    """What a partner told of a visit, the last one holds: a report, a correction of it, or its voiding; append-only.

    `told_at` is the moment at which the partner's system wrote it. `plate_id` is empty for an unplated car.
    """

    __tablename__ = "partner_visit_report"
    id: Mapped[Id]
    visit_id: Mapped[int] = mapped_column(ForeignKey("partner_visit.id"))
    number: Mapped[int]
    kind: Mapped[str]
    plate_id: Mapped[int | None] = mapped_column(ForeignKey("plate.id"))
    entered_at: Mapped[datetime]
    left_at: Mapped[datetime | None]
    entry_lane: Mapped[str | None]
    exit_lane: Mapped[str | None]
    reason: Mapped[str | None]
    told_at: Mapped[datetime]
    digest: Mapped[bytes]
    received_at: Mapped[datetime]
    __table_args__ = (
        UniqueConstraint("visit_id", "number", name="reports_of_a_visit_are_numbered"),
        UniqueConstraint("visit_id", "digest", name="a_visit_is_told_the_same_once"),
        CheckConstraint("number > 0", name="reports_are_numbered_from_one"),
        CheckConstraint("octet_length(digest) = 32", name="a_report_has_its_digest"),
        CheckConstraint("kind IN ('report', 'correction', 'void')", name="a_report_is_of_one_of_three_kinds"),
        CheckConstraint("(kind = 'report') = (reason IS NULL) AND reason <> ''", name="a_correction_gives_a_reason"),
        CheckConstraint("entered_at <= left_at", name="a_car_leaves_after_it_entered"),
        CheckConstraint(
            "greatest(entered_at, left_at, told_at) <= received_at + interval '5 minutes'",
            name="a_visit_is_not_from_the_future",
        ),
        Index("a_visit_is_voided_once", "visit_id", unique=True, postgresql_where=text("kind = 'void'")),
        Index("ix_partner_visit_report_plate_id", "plate_id"),
    )


class LotProposal(Base):
    """Proposal (静态信息变更建议): how a partner would describe a lot; approved facts change only if a person agrees.

    `proposed` and `found` hold the same columns: as they should be, and as they were when it was made.
    """

    __tablename__ = "lot_proposal"
    id: Mapped[Id]
    key: Mapped[Key]
    partner_id: Mapped[int]
    lot_id: Mapped[int]
    proposed: Mapped[dict[str, Any]]
    found: Mapped[dict[str, Any]]
    proposed_at: Mapped[datetime]
    outcome: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("staff_account.id"))
    decided_because: Mapped[str | None]
    __table_args__ = (
        ForeignKeyConstraint(
            ["partner_id", "lot_id"], ["partner_lot.partner_id", "partner_lot.lot_id"],
            name="a_proposal_is_about_a_partners_lot",
        ),
        CheckConstraint("proposed <> '{}'", name="a_proposal_proposes_something"),
        CheckConstraint("outcome IN ('accepted', 'declined', 'superseded')", name="a_proposal_ends_in_one_of_three"),
        CheckConstraint("(outcome IS NULL) = (decided_at IS NULL)", name="an_ended_proposal_says_when"),
        CheckConstraint(
            "(coalesce(outcome, 'superseded') = 'superseded') = (decided_by IS NULL) "
            "AND (decided_by IS NULL) = (decided_because IS NULL) AND decided_because <> ''",
            name="a_decision_on_a_proposal_says_who_and_why",
        ),
        Index(
            "a_partner_has_one_open_proposal_for_a_lot", "partner_id", "lot_id",
            unique=True, postgresql_where=text("outcome IS NULL"),
        ),
    )  # fmt: skip


class PartnerRefusal(Base):
    """Something that a partner said and that was not believed: which code, about which lot; append-only.

    `digest` is a keyed digest of the refused record (its canonical JSON) or body: whoever has it can prove what it was,
    and nobody can guess a plate from it.
    """

    __tablename__ = "partner_refusal"
    id: Mapped[Id]
    partner_id: Mapped[int] = mapped_column(ForeignKey("partner.id"))
    kind: Mapped[str]
    code: Mapped[str]
    lot_id: Mapped[int | None] = mapped_column(ForeignKey("lot.id"))
    digest: Mapped[bytes]
    at: Mapped[datetime]
    __table_args__ = (
        CheckConstraint("kind IN ('count', 'visit', 'lot', 'request')", name="a_refusal_is_of_a_known_kind"),
        CheckConstraint("octet_length(digest) = 16", name="a_refusal_has_a_digest"),
        Index("ix_partner_refusal_partner_id_at", "partner_id", "at"),
    )
