"""Incidents, the rules over them, the measures that follow, and appeals."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id, Key

KNOWN_KINDS = "kind IN ('no_show', 'late_cancellation', 'overstay', 'dispute')"
KNOWN_MEASURES = "('warning', 'cooling_off', 'suspension')"


class Incident(Base):
    """Incident (失信事件): one thing that went wrong, once about one row; `evidence` holds ids, numbers and moments.

    `noted_by` is the person who wrote it; nobody: the platform saw it itself. `assessed_at`: the rules were asked.
    """

    __tablename__ = "incident"
    id: Mapped[Id]
    key: Mapped[Key]
    kind: Mapped[str]
    motorist_id: Mapped[int] = mapped_column(ForeignKey("motorist.id"))
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    subject: Mapped[str]
    subject_id: Mapped[int]
    evidence: Mapped[dict[str, Any]]
    noted_by: Mapped[int | None] = mapped_column(ForeignKey("staff_account.id"))
    at: Mapped[datetime]
    noted_at: Mapped[datetime]
    assessed_at: Mapped[datetime | None]
    __table_args__ = (
        UniqueConstraint("kind", "subject", "subject_id", name="an_incident_is_noted_once"),
        UniqueConstraint("id", "motorist_id", name="an_incident_is_one_motorists"),
        CheckConstraint(KNOWN_KINDS, name="an_incident_is_of_a_known_kind"),
        CheckConstraint("evidence <> '{}'", name="an_incident_has_evidence"),
        CheckConstraint("kind <> 'dispute' OR noted_by IS NOT NULL", name="a_dispute_is_noted_by_a_person"),
        CheckConstraint("at <= noted_at", name="an_incident_is_noted_after_it_happened"),
        Index("ix_incident_motorist_id_kind_at", "motorist_id", "kind", "at"),
        Index("ix_incident_lot_id_id", "lot_id", "id"),
        Index("ix_incident_unassessed", "id", postgresql_where=text("assessed_at IS NULL")),
    )


class ConductRule(Base):
    """Rule (信用规则): so many incidents of a kind within so many days lead to a measure of so many days.

    It holds for the whole city from a moment on. There is no money in it, nor could there be.
    """

    __tablename__ = "conduct_rule"
    id: Mapped[Id]
    kind: Mapped[str]
    measure: Mapped[str]
    count: Mapped[int]
    within_days: Mapped[int]
    days: Mapped[int]
    valid: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    __table_args__ = (
        CheckConstraint(KNOWN_KINDS, name="a_rule_is_about_a_known_kind"),
        CheckConstraint(f"measure IN {KNOWN_MEASURES}", name="a_rule_leads_to_a_known_measure"),
        CheckConstraint("count BETWEEN 1 AND 100", name="a_rule_counts_incidents"),
        CheckConstraint("within_days BETWEEN 1 AND 365", name="incidents_count_for_a_year_at_most"),
        CheckConstraint("days BETWEEN 1 AND 365", name="a_rule_leads_to_no_more_than_a_year"),
        CheckConstraint("NOT isempty(valid)", name="a_conduct_rule_holds_for_some_time"),
        ExcludeConstraint(
            ("kind", "="), ("measure", "="), ("valid", "&&"), name="a_kind_leads_to_a_measure_by_one_rule", using="gist"
        ),
    )  # fmt: skip


class Measure(Base):
    """Measure (信用措施) against a motorist for a finite time; an appeal may end it before. None of them costs money.

    `rule_id` is empty where the city's default held; `reason` says in Chinese what it follows from.
    """

    __tablename__ = "measure"
    id: Mapped[Id]
    key: Mapped[Key]
    kind: Mapped[str]
    motorist_id: Mapped[int] = mapped_column(ForeignKey("motorist.id"))
    began_at: Mapped[datetime]
    valid: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    reason: Mapped[str]
    rule_id: Mapped[int | None] = mapped_column(ForeignKey("conduct_rule.id"))
    __table_args__ = (
        UniqueConstraint("id", "kind", "motorist_id", name="a_measure_is_one_motorists"),
        UniqueConstraint("id", "motorist_id", "began_at", name="a_measure_begins_once"),
        CheckConstraint(f"kind IN {KNOWN_MEASURES}", name="a_measure_is_of_a_known_kind"),
        CheckConstraint(
            "(lower_inc(valid) AND NOT upper_inc(valid) AND lower(valid) = began_at "
            "AND upper(valid) <= began_at + interval '8760 hours') IS TRUE",
            name="a_measure_ends_within_a_year",
        ),
        CheckConstraint("reason <> ''", name="a_measure_says_why"),
        ExcludeConstraint(
            ("motorist_id", "="), ("kind", "="), ("valid", "&&"), name="one_measure_of_a_kind_at_a_time", using="gist"
        ),
        Index("ix_measure_motorist_id_id", "motorist_id", "id"),
    )  # fmt: skip


class CarriedMeasure(Base):
    """What still ran against somebody whose account was erased (措施延续): it meets them when they sign in again.

    A keyed digest of the openid, of no other use, is all that is kept, until the measure ends.
    """

    __tablename__ = "carried_measure"
    __table_args__ = (
        CheckConstraint("octet_length(openid_digest) = 16", name="a_carried_digest_has_16_bytes"),
        CheckConstraint("kind IN ('cooling_off', 'suspension')", name="what_stops_reservations_is_carried"),
        CheckConstraint(
            "began_at < ends_at AND ends_at <= began_at + interval '8760 hours'",
            name="what_is_carried_ends_within_a_year",
        ),
        CheckConstraint("reason <> ''", name="what_is_carried_says_why"),
        Index("ix_carried_measure_ends_at", "ends_at"),
    )

    app_id: Mapped[str] = mapped_column(primary_key=True)
    openid_digest: Mapped[bytes] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    began_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    reason: Mapped[str]


class MeasureIncident(Base):
    """Which incidents a measure follows from; one is used for each kind of measure once."""

    __tablename__ = "measure_incident"
    measure_id: Mapped[int] = mapped_column(primary_key=True)
    incident_id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    motorist_id: Mapped[int]
    __table_args__ = (
        UniqueConstraint("incident_id", "kind", name="an_incident_counts_once_for_a_kind_of_measure"),
        ForeignKeyConstraint(
            ["measure_id", "kind", "motorist_id"], ["measure.id", "measure.kind", "measure.motorist_id"],
            name="a_measure_follows_from_its_motorists_incidents",
        ),
        ForeignKeyConstraint(
            ["incident_id", "motorist_id"], ["incident.id", "incident.motorist_id"],
            name="an_incident_counts_against_its_motorist",
        ),
    )  # fmt: skip


class Appeal(Base):
    """Appeal (申诉) against a measure, once, within 15 days of its beginning; the motorist's words rest sealed."""

    __tablename__ = "appeal"
    id: Mapped[Id]
    key: Mapped[Key]
    measure_id: Mapped[int]
    motorist_id: Mapped[int]
    began_at: Mapped[datetime]
    words_enc: Mapped[bytes]
    made_at: Mapped[datetime]
    __table_args__ = (
        UniqueConstraint("measure_id", name="a_measure_is_appealed_against_once"),
        UniqueConstraint("id", "made_at", name="an_appeal_is_made_once"),
        ForeignKeyConstraint(
            ["measure_id", "motorist_id", "began_at"], ["measure.id", "measure.motorist_id", "measure.began_at"],
            name="whom_a_measure_meets_appeals_against_it",
        ),
        CheckConstraint(
            "made_at >= began_at AND made_at < began_at + interval '360 hours'",
            name="an_appeal_is_made_within_15_days",
        ),
    )  # fmt: skip


class AppealDecision(Base):
    """Decision (申诉决定) on an appeal: by a person who wrote none of the incidents; final."""

    __tablename__ = "appeal_decision"
    appeal_id: Mapped[int] = mapped_column(primary_key=True)
    made_at: Mapped[datetime]
    outcome: Mapped[str]
    reason: Mapped[str]
    decided_by: Mapped[int] = mapped_column(ForeignKey("staff_account.id"))
    decided_at: Mapped[datetime]
    __table_args__ = (
        ForeignKeyConstraint(
            ["appeal_id", "made_at"], ["appeal.id", "appeal.made_at"], name="a_decision_is_about_an_appeal"
        ),
        CheckConstraint("outcome IN ('lifted', 'upheld')", name="an_appeal_is_lifted_or_upheld"),
        CheckConstraint("reason <> ''", name="a_decision_has_a_reason"),
        CheckConstraint("decided_at >= made_at", name="an_appeal_is_decided_after_it_was_made"),
    )
