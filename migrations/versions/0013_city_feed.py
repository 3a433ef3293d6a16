"""What is told to the city's own parking system."""

import sqlalchemy as sa
from alembic import op

from migrations.words import follows_graph, forget_graph, grant, graph

revision = "0013"
down_revision = "0012"

UPLOAD = (
    ("", "born", "due"),
    ("due", "accept", "accepted"),
    ("due", "refuse", "refused"),
    ("due", "withhold", "withheld"),
    ("refused", "retry", "due"),
)
TABLES = ("city_upload", "city_visit", "city_lot", "city_line")


def upgrade() -> None:
    _line()
    _lots()
    _visits()
    _uploads()
    _order()
    grant("SELECT, INSERT, UPDATE", *TABLES)
    graph("city_upload", UPLOAD)
    follows_graph("city_upload", "city_upload")


def _line() -> None:
    op.create_table(
        "city_line",
        sa.Column("id", sa.SmallInteger(), nullable=False, autoincrement=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("away_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_failure", sa.Text(), nullable=True),
        sa.Column("barred_code", sa.Text(), nullable=True),
        sa.Column("reconnected_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("id = 1", name="there_is_one_line_to_the_city"),
        sa.CheckConstraint(
            "(away_since IS NULL) = (failures = 0) AND (away_since IS NULL) = (next_try_at IS NULL) "
            "AND (away_since IS NULL) = (last_failure IS NULL)",
            name="a_line_that_is_away_says_since_when_and_until",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_city_line"),
    )


def _lots() -> None:
    op.create_table(
        "city_lot",
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("parking_code", sa.Text(), nullable=False),
        sa.Column("description", sa.LargeBinary(), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pulse_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("free", sa.BigInteger(), nullable=True),
        sa.Column("state_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state_code", sa.Text(), nullable=True),
        sa.CheckConstraint("parking_code ~ '^3301[0-9]{8,}$'", name="a_parking_code_begins_with_its_district"),
        sa.CheckConstraint("octet_length(description) = 32", name="a_description_has_its_digest"),
        sa.CheckConstraint("(known_at IS NULL) = (pulse_at IS NULL)", name="only_a_known_lot_has_a_pulse"),
        sa.CheckConstraint("(free IS NULL) = (state_at IS NULL) AND free >= 0", name="free_bays_were_told_at_a_moment"),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name="fk_city_lot_lot_id"),
        sa.PrimaryKeyConstraint("lot_id", name="pk_city_lot"),
        sa.UniqueConstraint("parking_code", name="uq_city_lot_parking_code"),
    )
    op.create_index("ix_city_lot_pulse_at", "city_lot", ["pulse_at"], unique=False)


def _visits() -> None:
    op.create_table(
        "city_visit",
        sa.Column("stay_id", sa.BigInteger(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("entry_number", sa.Text(), nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("has_ended", sa.Boolean(), server_default="false", nullable=False),
        sa.ForeignKeyConstraint(["stay_id"], ["stay.id"], name="fk_city_visit_stay_id"),
        sa.ForeignKeyConstraint(["lot_id"], ["city_lot.lot_id"], name="fk_city_visit_lot_id"),
        sa.PrimaryKeyConstraint("stay_id", name="pk_city_visit"),
        sa.UniqueConstraint("uid", name="a_visit_number_is_given_once"),
        sa.UniqueConstraint("stay_id", "lot_id", name="a_visit_is_to_one_lot"),
    )
    op.create_index(
        "ix_city_visit_going_on", "city_visit", ["stay_id"], unique=False, postgresql_where=sa.text("NOT has_ended")
    )


def _uploads() -> None:
    op.create_table(
        "city_upload",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("stay_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_check_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_code", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('lot', 'entry', 'exit')", name="an_upload_is_of_a_known_kind"),
        sa.CheckConstraint("(kind = 'lot') = (stay_id IS NULL)", name="an_entry_or_exit_belongs_to_a_visit"),
        sa.CheckConstraint(
            "state IN ('due', 'accepted', 'refused', 'withheld')", name="an_upload_is_due_accepted_refused_or_withheld"
        ),
        sa.CheckConstraint("(state = 'due') = (ended_at IS NULL)", name="an_upload_that_ended_says_when"),
        sa.CheckConstraint("state <> 'refused' OR last_code IS NOT NULL", name="a_refused_upload_says_the_code"),
        sa.CheckConstraint("state NOT IN ('accepted', 'refused') OR attempts > 0", name="an_answer_follows_an_attempt"),
        sa.ForeignKeyConstraint(["lot_id"], ["city_lot.lot_id"], name="fk_city_upload_lot_id"),
        sa.ForeignKeyConstraint(["stay_id"], ["city_visit.stay_id"], name="fk_city_upload_stay_id"),
        sa.ForeignKeyConstraint(
            ["stay_id", "lot_id"], ["city_visit.stay_id", "city_visit.lot_id"], name="an_upload_names_its_visits_lot"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_city_upload"),
        sa.UniqueConstraint("key", name="uq_city_upload_key"),
        sa.UniqueConstraint("stay_id", "kind", name="a_visit_has_one_entry_and_one_exit"),
    )
    op.create_index(
        "a_lot_has_one_description_due", "city_upload", ["lot_id"],
        unique=True, postgresql_where=sa.text("kind = 'lot' AND state = 'due'"),
    )  # fmt: skip
    op.create_index(
        "ix_city_upload_next",
        "city_upload",
        ["next_check_at", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'due'"),
    )
    op.create_index(
        "ix_city_upload_due", "city_upload", ["lot_id", "id"], unique=False, postgresql_where=sa.text("state = 'due'")
    )
    op.create_index(
        "ix_city_upload_refused", "city_upload", ["id"], unique=False, postgresql_where=sa.text("state = 'refused'")
    )


def _order() -> None:
    """An exit is not told while its entry waits."""
    op.execute(
        """
        CREATE FUNCTION refuse_exit_before_entry() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (
                SELECT FROM city_upload WHERE stay_id = NEW.stay_id AND kind = 'entry' AND state = 'due'
            ) THEN
                RAISE EXCEPTION 'the entry of visit % waits', NEW.stay_id
                    USING ERRCODE = 'integrity_constraint_violation',
                          CONSTRAINT = 'an_exit_is_told_after_its_entry';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER an_exit_is_told_after_its_entry BEFORE UPDATE OF attempts, state ON city_upload "
        "FOR EACH ROW WHEN (NEW.kind = 'exit' AND NEW.state IN ('due', 'accepted') AND NEW.attempts > 0) "
        "EXECUTE FUNCTION refuse_exit_before_entry()"
    )


def downgrade() -> None:
    forget_graph("city_upload")
    for table in TABLES:
        op.drop_table(table)
    op.execute("DROP FUNCTION refuse_exit_before_entry()")
