"""The kernel's tables: state graphs and moves, audit entries, remembered requests."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.words import append_only, grant

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.execute("GRANT USAGE ON SCHEMA public TO app_rw")
    op.execute(
        """
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '% is append-only', TG_TABLE_NAME
                USING ERRCODE = 'integrity_constraint_violation',
                      CONSTRAINT = TG_TABLE_NAME || '_is_append_only';
        END $$
        """
    )
    op.execute(
        """
        CREATE FUNCTION refuse_unknown_move() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE before text := '';
        BEGIN
            IF TG_OP = 'UPDATE' THEN before := OLD.state; END IF;
            IF before <> NEW.state AND NOT EXISTS (
                SELECT 1 FROM state_transition
                WHERE machine = TG_ARGV[0] AND from_state = before AND to_state = NEW.state
            ) THEN
                RAISE EXCEPTION '% cannot move from % to %', TG_ARGV[0], before, NEW.state
                    USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_follows_its_graph';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        """
        CREATE FUNCTION demand_its_event() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE before text := '';
        BEGIN
            IF TG_OP = 'UPDATE' THEN before := OLD.state; END IF;
            IF before <> NEW.state AND NOT EXISTS (
                SELECT FROM state_event
                WHERE machine = TG_ARGV[0] AND entity_id = NEW.id AND from_state = before AND to_state = NEW.state
            ) THEN
                RAISE EXCEPTION '% % moved from % to % and nobody wrote it down', TG_ARGV[0], NEW.id, before, NEW.state
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_TABLE_NAME || '_tells_each_move';
            END IF;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        """
        CREATE FUNCTION refuse_stretching() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.valid <@ OLD.valid AND NOT isempty(NEW.valid)
               AND (lower(NEW.valid), lower_inc(NEW.valid)) IS NOT DISTINCT FROM (lower(OLD.valid), lower_inc(OLD.valid))
            THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'a row of % may end, and no more', TG_TABLE_NAME
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_TABLE_NAME || '_only_ends';
        END $$
        """
    )
    _states()
    _audit()
    _remembered()


def _states() -> None:
    op.create_table(
        "state_transition",
        sa.Column("machine", sa.Text, primary_key=True),
        sa.Column("from_state", sa.Text, primary_key=True),
        sa.Column("to_state", sa.Text, primary_key=True),
        sa.Column("event", sa.Text, primary_key=True),
    )
    grant("SELECT", "state_transition")
    op.create_table(
        "state_event",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("machine", sa.Text, nullable=False),
        sa.Column("entity_id", sa.BigInteger, nullable=False),
        sa.Column("from_state", sa.Text, nullable=False),
        sa.Column("to_state", sa.Text, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["machine", "from_state", "to_state", "event"],
            [f"state_transition.{name}" for name in ("machine", "from_state", "to_state", "event")],
            name="a_move_follows_an_edge_of_the_graph",
        ),
    )
    op.create_index("ix_state_event_machine_entity_id", "state_event", ["machine", "entity_id"])
    append_only("state_event")


def _audit() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("subject_id", sa.BigInteger, nullable=False),
        sa.Column("detail", JSONB, nullable=False, server_default="{}"),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("transaction_id", sa.BigInteger, nullable=False, server_default=sa.func.txid_current()),
    )
    op.create_index("ix_audit_entry_subject", "audit_entry", ["subject", "subject_id"])
    append_only("audit_entry")


def _remembered() -> None:
    op.create_table(
        "remembered_request",
        sa.Column("scope", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("request_hash", sa.LargeBinary, nullable=False),
        sa.Column("status", sa.BigInteger),
        sa.Column("answer", sa.LargeBinary),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(status IS NULL) = (answer IS NULL)", name="an_answer_comes_with_its_status"),
    )
    op.create_index("ix_remembered_request_expires_at", "remembered_request", ["expires_at"])
    grant("SELECT, INSERT, UPDATE, DELETE", "remembered_request")


def downgrade() -> None:
    for table in ("remembered_request", "audit_entry", "state_event", "state_transition"):
        op.drop_table(table)
    op.execute("DROP FUNCTION refuse_unknown_move()")
    op.execute("DROP FUNCTION refuse_stretching()")
    op.execute("DROP FUNCTION demand_its_event()")
    op.execute("DROP FUNCTION refuse_change()")
    op.execute("REVOKE USAGE ON SCHEMA public FROM app_rw")
    op.execute("DROP EXTENSION btree_gist")
