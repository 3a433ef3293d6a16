"""A journal that is not what happened is reversed by two persons; what stands for it was agreed by them."""

import sqlalchemy as sa
from alembic import op

from migrations.words import grant, written_down

revision = "0062"
down_revision = "0061"

DECISION = "'state', 'decided_by', 'decided_at', 'decided_because'"


def upgrade() -> None:
    _corrections()
    grant("SELECT, INSERT, UPDATE (state, decided_by, decided_at, decided_because)", "correction")
    _decided_once()
    _posted()
    _agreed()
    written_down("correction", "journal_id", "payee_id", "state", "made_by", "decided_by", moving="state")


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _corrections() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "correction",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid, nullable=False),
        sa.Column("journal_id", sa.BigInteger, nullable=False), sa.Column("payee_id", sa.BigInteger, nullable=False),
        _text("because"), _text("made_by"), sa.Column("made_at", moment, nullable=False), _text("state"),
        _text("decided_by", nullable=True), sa.Column("decided_at", moment, nullable=True),
        _text("decided_because", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_correction"),
        sa.UniqueConstraint("key", name="uq_correction_key"),
        sa.ForeignKeyConstraint(
            ["journal_id", "payee_id"], ["journal.id", "journal.payee_id"], name="a_correction_is_of_one_payees_journal"
        ),
        sa.CheckConstraint("state IN ('waiting', 'accepted', 'rejected')", name="a_correction_is_in_a_known_state"),
        sa.CheckConstraint("decided_by <> made_by", name="a_correction_is_decided_by_another_person"),
        sa.CheckConstraint(
            "num_nonnulls(decided_by, decided_at, decided_because) = CASE state WHEN 'waiting' THEN 0 ELSE 3 END",
            name="a_decided_correction_says_how_and_why",
        ),
        sa.CheckConstraint("because <> '' AND decided_because <> ''", name="a_correction_says_something"),
    )  # fmt: skip
    live = sa.text("state <> 'rejected'")
    op.create_index("a_journal_is_corrected_once", "correction", ["journal_id"], unique=True, postgresql_where=live)


def _decided_once() -> None:
    op.execute(
        f"""
        CREATE FUNCTION a_correction_is_decided_once() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' OR OLD.state <> 'waiting'
               OR to_jsonb(NEW) - ARRAY[{DECISION}] <> to_jsonb(OLD) - ARRAY[{DECISION}] THEN
                RAISE EXCEPTION 'a correction is decided once and never rewritten'
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_correction_is_decided_once';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER a_correction_is_decided_once BEFORE UPDATE OR DELETE ON correction
            FOR EACH ROW EXECUTE FUNCTION a_correction_is_decided_once();
        """
    )


def _posted() -> None:
    op.execute(
        """
        CREATE FUNCTION an_accepted_correction_is_posted() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (SELECT FROM journal WHERE kind = 'reversal' AND reverses_id = NEW.journal_id) THEN
                RAISE EXCEPTION 'journal % is not reversed', NEW.journal_id
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'an_accepted_correction_is_posted';
            END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER an_accepted_correction_is_posted AFTER INSERT OR UPDATE ON correction
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.state = 'accepted')
            EXECUTE FUNCTION an_accepted_correction_is_posted();
        """
    )


def _agreed() -> None:
    """Looked at for this kind alone: other journals cost nothing more."""
    op.execute(
        """
        CREATE FUNCTION what_stands_for_a_journal_was_agreed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (
                SELECT FROM correction JOIN journal wrong ON wrong.id = correction.journal_id
                WHERE correction.state = 'accepted' AND wrong.kind || '/' || wrong.business_ref = NEW.business_ref
            ) THEN
                RAISE EXCEPTION 'nobody agreed to correct %', NEW.business_ref
                    USING ERRCODE = 'integrity_constraint_violation',
                          CONSTRAINT = 'what_stands_for_a_journal_was_agreed';
            END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER what_stands_for_a_journal_was_agreed AFTER INSERT ON journal
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.kind = 'correction')
            EXECUTE FUNCTION what_stands_for_a_journal_was_agreed();
        """
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER what_stands_for_a_journal_was_agreed ON journal")
    op.drop_table("correction")
    op.execute(
        "DROP FUNCTION what_stands_for_a_journal_was_agreed, an_accepted_correction_is_posted, "
        "a_correction_is_decided_once"
    )
