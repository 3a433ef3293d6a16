"""Conduct: incidents, rules, measures that end by themselves, appeals."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.words import append_only, grant, only_ends

revision = "0027"
down_revision = "0026"

KINDS = "kind IN ('no_show', 'late_cancellation', 'overstay', 'dispute')"
MEASURES = "('warning', 'cooling_off', 'suspension')"


def upgrade() -> None:
    _incidents()
    _rules()
    _measures()
    _appeals()
    _decisions()
    op.create_index("ix_stay_exited_at", "stay", ["exited_at"])
    append_only("measure_incident", "appeal", "appeal_decision")
    only_ends("conduct_rule", "measure")
    grant("SELECT, INSERT, UPDATE (assessed_at)", "incident")


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False)


def _key() -> sa.Column[object]:
    return sa.Column("key", sa.Uuid, nullable=False)


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _points(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=f"fk_{table}_{column}")


def _incidents() -> None:
    op.create_table(
        "incident",
        _id(), _key(), _text("kind"), _number("motorist_id"), _number("lot_id"), _text("subject"),
        _number("subject_id"), sa.Column("evidence", postgresql.JSONB, nullable=False),
        _number("noted_by", nullable=True), _moment("at"), _moment("noted_at"), _moment("assessed_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_incident"),
        sa.UniqueConstraint("key", name="uq_incident_key"),
        sa.UniqueConstraint("kind", "subject", "subject_id", name="an_incident_is_noted_once"),
        sa.UniqueConstraint("id", "motorist_id", name="an_incident_is_one_motorists"),
        _points("incident", "motorist_id", "motorist"),
        _points("incident", "lot_id", "lot"),
        _points("incident", "noted_by", "staff_account"),
        sa.CheckConstraint(KINDS, name="an_incident_is_of_a_known_kind"),
        sa.CheckConstraint("evidence <> '{}'", name="an_incident_has_evidence"),
        sa.CheckConstraint("kind <> 'dispute' OR noted_by IS NOT NULL", name="a_dispute_is_noted_by_a_person"),
        sa.CheckConstraint("at <= noted_at", name="an_incident_is_noted_after_it_happened"),
    )  # fmt: skip
    op.create_index("ix_incident_motorist_id_kind_at", "incident", ["motorist_id", "kind", "at"])
    op.create_index("ix_incident_lot_id_id", "incident", ["lot_id", "id"])
    op.create_index("ix_incident_unassessed", "incident", ["id"], postgresql_where=sa.text("assessed_at IS NULL"))


def _rules() -> None:
    op.create_table(
        "conduct_rule",
        _id(), _text("kind"), _text("measure"), _number("count"), _number("within_days"), _number("days"),
        sa.Column("valid", postgresql.TSTZRANGE, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_conduct_rule"),
        sa.CheckConstraint(KINDS, name="a_rule_is_about_a_known_kind"),
        sa.CheckConstraint(f"measure IN {MEASURES}", name="a_rule_leads_to_a_known_measure"),
        sa.CheckConstraint("count BETWEEN 1 AND 100", name="a_rule_counts_incidents"),
        sa.CheckConstraint("within_days BETWEEN 1 AND 365", name="incidents_count_for_a_year_at_most"),
        sa.CheckConstraint("days BETWEEN 1 AND 365", name="a_rule_leads_to_no_more_than_a_year"),
        sa.CheckConstraint("NOT isempty(valid)", name="a_conduct_rule_holds_for_some_time"),
        postgresql.ExcludeConstraint(
            (sa.column("kind"), "="), (sa.column("measure"), "="), (sa.column("valid"), "&&"),
            using="gist", name="a_kind_leads_to_a_measure_by_one_rule",
        ),
    )  # fmt: skip


def _measures() -> None:
    op.create_table(
        "measure",
        _id(), _key(), _text("kind"), _number("motorist_id"), _moment("began_at"),
        sa.Column("valid", postgresql.TSTZRANGE, nullable=False), _text("reason"), _number("rule_id", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_measure"),
        sa.UniqueConstraint("key", name="uq_measure_key"),
        sa.UniqueConstraint("id", "kind", "motorist_id", name="a_measure_is_one_motorists"),
        sa.UniqueConstraint("id", "motorist_id", "began_at", name="a_measure_begins_once"),
        _points("measure", "motorist_id", "motorist"),
        _points("measure", "rule_id", "conduct_rule"),
        sa.CheckConstraint(f"kind IN {MEASURES}", name="a_measure_is_of_a_known_kind"),
        sa.CheckConstraint(
            "(lower_inc(valid) AND NOT upper_inc(valid) AND lower(valid) = began_at "
            "AND upper(valid) <= began_at + interval '8760 hours') IS TRUE",
            name="a_measure_ends_within_a_year",
        ),
        sa.CheckConstraint("reason <> ''", name="a_measure_says_why"),
        postgresql.ExcludeConstraint(
            (sa.column("motorist_id"), "="), (sa.column("kind"), "="), (sa.column("valid"), "&&"),
            using="gist", name="one_measure_of_a_kind_at_a_time",
        ),
    )  # fmt: skip
    op.create_index("ix_measure_motorist_id_id", "measure", ["motorist_id", "id"])
    op.create_table(
        "measure_incident",
        _number("measure_id"), _number("incident_id"), _text("kind"), _number("motorist_id"),
        sa.PrimaryKeyConstraint("measure_id", "incident_id", name="pk_measure_incident"),
        sa.UniqueConstraint("incident_id", "kind", name="an_incident_counts_once_for_a_kind_of_measure"),
        sa.ForeignKeyConstraint(
            ["measure_id", "kind", "motorist_id"], ["measure.id", "measure.kind", "measure.motorist_id"],
            name="a_measure_follows_from_its_motorists_incidents",
        ),
        sa.ForeignKeyConstraint(
            ["incident_id", "motorist_id"], ["incident.id", "incident.motorist_id"],
            name="an_incident_counts_against_its_motorist",
        ),
    )  # fmt: skip


def _appeals() -> None:
    op.create_table(
        "appeal",
        _id(), _key(), _number("measure_id"), _number("motorist_id"), _moment("began_at"),
        sa.Column("words_enc", sa.LargeBinary, nullable=False), _moment("made_at"),
        sa.PrimaryKeyConstraint("id", name="pk_appeal"),
        sa.UniqueConstraint("key", name="uq_appeal_key"),
        sa.UniqueConstraint("measure_id", name="a_measure_is_appealed_against_once"),
        sa.UniqueConstraint("id", "made_at", name="an_appeal_is_made_once"),
        sa.ForeignKeyConstraint(
            ["measure_id", "motorist_id", "began_at"], ["measure.id", "measure.motorist_id", "measure.began_at"],
            name="whom_a_measure_meets_appeals_against_it",
        ),
        sa.CheckConstraint(
            "made_at >= began_at AND made_at < began_at + interval '360 hours'",
            name="an_appeal_is_made_within_15_days",
        ),
    )  # fmt: skip


def _decisions() -> None:
    op.create_table(
        "appeal_decision",
        _number("appeal_id"), _moment("made_at"), _text("outcome"), _text("reason"), _number("decided_by"),
        _moment("decided_at"),
        sa.PrimaryKeyConstraint("appeal_id", name="pk_appeal_decision"),
        sa.ForeignKeyConstraint(
            ["appeal_id", "made_at"], ["appeal.id", "appeal.made_at"], name="a_decision_is_about_an_appeal"
        ),
        _points("appeal_decision", "decided_by", "staff_account"),
        sa.CheckConstraint("outcome IN ('lifted', 'upheld')", name="an_appeal_is_lifted_or_upheld"),
        sa.CheckConstraint("reason <> ''", name="a_decision_has_a_reason"),
        sa.CheckConstraint("decided_at >= made_at", name="an_appeal_is_decided_after_it_was_made"),
    )  # fmt: skip
    op.execute(
        """
        CREATE FUNCTION refuse_unfair_decision() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (SELECT FROM appeal
                       JOIN measure_incident USING (measure_id) JOIN incident ON incident.id = incident_id
                       WHERE appeal.id = NEW.appeal_id AND noted_by = NEW.decided_by) THEN
                RAISE EXCEPTION 'whoever wrote an incident does not decide on it' USING
                    ERRCODE = 'integrity_constraint_violation',
                    CONSTRAINT = 'who_wrote_an_incident_does_not_decide_on_it';
            END IF;
            IF NEW.outcome = 'lifted'
               AND EXISTS (SELECT FROM appeal JOIN measure ON measure.id = measure_id
                           WHERE appeal.id = NEW.appeal_id AND upper(valid) > NEW.decided_at) THEN
                RAISE EXCEPTION 'a measure that is lifted has ended' USING
                    ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_lifted_measure_ends_at_once';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER an_appeal_is_decided_fairly BEFORE INSERT ON appeal_decision "
        "FOR EACH ROW EXECUTE FUNCTION refuse_unfair_decision()"
    )


def downgrade() -> None:
    op.drop_index("ix_stay_exited_at", "stay")
    for table in ("appeal_decision", "appeal", "measure_incident", "measure", "conduct_rule", "incident"):
        op.drop_table(table)
    op.execute("DROP FUNCTION refuse_unfair_decision()")
