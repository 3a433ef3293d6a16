"""What stands in suspense is cleared by two persons, against what offsets it, once, by reversals alone."""

import sqlalchemy as sa
from alembic import op

from migrations.words import grant, written_down

revision = "0045"
down_revision = "0044"

FORMER = "'open', 'held', 'agreed', 'settled', 'suspended', 'gone'"
CLEARING = ("payee_id", "target", "target_key", "state", "made_by", "decided_by")


def upgrade() -> None:
    op.create_unique_constraint("a_difference_has_one_gap", "difference", ["id", "payee_id", "gap_fen"])
    _states(f"{FORMER}, 'cleared'")
    op.execute(
        "INSERT INTO state_transition (machine, from_state, event, to_state) "
        "VALUES ('difference', 'suspended', 'clear', 'cleared')"
    )
    _clearings()
    _lines()
    grant("SELECT, INSERT, UPDATE (state, decided_by, decided_at, decided_because)", "suspense_clearing")
    grant("SELECT, INSERT", "suspense_clearing_line")
    _decided_once()
    _lines_stay()
    _comes_to_nothing()
    _cleared_by_two()
    written_down("suspense_clearing", *CLEARING, moving="state")


def _states(states: str) -> None:
    op.drop_constraint("a_difference_is_in_a_known_state", "difference")
    op.create_check_constraint("a_difference_is_in_a_known_state", "difference", f"state IN ({states})")


def _number(name: str) -> sa.Column:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _text(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Text, nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _clearings() -> None:
    op.create_table(
        "suspense_clearing",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("key", sa.Uuid, nullable=False),
        sa.Column("payee_id", sa.BigInteger, sa.ForeignKey("payee.id"), nullable=False),
        _text("target"), sa.Column("target_key", sa.Uuid, nullable=False), _text("because"), _text("made_by"),
        _moment("made_at"), _text("state"), _text("decided_by", nullable=True), _moment("decided_at", nullable=True),
        _text("decided_because", nullable=True),
        sa.UniqueConstraint("key", name="uq_suspense_clearing_key"),
        sa.UniqueConstraint("id", "payee_id", "state", name="a_clearing_is_one_payees"),
        sa.CheckConstraint("target IN ('charge', 'refund', 'return')", name="a_clearing_is_against_a_known_thing"),
        sa.CheckConstraint("state IN ('waiting', 'accepted', 'rejected')", name="a_clearing_is_in_a_known_state"),
        sa.CheckConstraint("decided_by <> made_by", name="a_clearing_is_decided_by_another_person"),
        sa.CheckConstraint(
            "num_nonnulls(decided_by, decided_at, decided_because) = CASE state WHEN 'waiting' THEN 0 ELSE 3 END",
            name="a_decided_clearing_says_how_and_why",
        ),
        sa.CheckConstraint("because <> '' AND decided_because <> ''", name="a_clearing_says_something"),
    )  # fmt: skip


def _lines() -> None:
    op.create_table(
        "suspense_clearing_line",
        *(_number(name) for name in ("clearing_id", "difference_id", "payee_id", "gap_fen")), _text("state"),
        sa.PrimaryKeyConstraint("clearing_id", "difference_id", name="pk_suspense_clearing_line"),
        sa.ForeignKeyConstraint(
            ["clearing_id", "payee_id", "state"],
            [f"suspense_clearing.{name}" for name in ("id", "payee_id", "state")],
            name="a_clearings_line_follows_it", onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["difference_id", "payee_id", "gap_fen"], [f"difference.{name}" for name in ("id", "payee_id", "gap_fen")],
            name="a_clearing_takes_the_whole_of_its_payees_difference",
        ),
    )  # fmt: skip
    live = sa.text("state <> 'rejected'")
    op.create_index(
        "a_difference_is_cleared_once", "suspense_clearing_line", ["difference_id"], unique=True, postgresql_where=live
    )


def _decided_once() -> None:
    op.execute(
        """
        CREATE FUNCTION a_clearing_is_decided_once() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' OR OLD.state <> 'waiting'
               OR to_jsonb(NEW) - ARRAY['state', 'decided_by', 'decided_at', 'decided_because']
                  <> to_jsonb(OLD) - ARRAY['state', 'decided_by', 'decided_at', 'decided_because'] THEN
                RAISE EXCEPTION 'a clearing is decided once and never rewritten'
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_clearing_is_decided_once';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER a_clearing_is_decided_once BEFORE UPDATE OR DELETE ON suspense_clearing
            FOR EACH ROW EXECUTE FUNCTION a_clearing_is_decided_once();
        """
    )


def _lines_stay() -> None:
    op.execute(
        """
        CREATE FUNCTION a_clearings_lines_stay() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - 'state' = to_jsonb(OLD) - 'state' THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'the lines of a clearing are fixed'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_clearings_lines_stay';
        END $$;
        CREATE TRIGGER a_clearings_lines_stay BEFORE UPDATE OR DELETE ON suspense_clearing_line
            FOR EACH ROW EXECUTE FUNCTION a_clearings_lines_stay();
        """
    )


def _comes_to_nothing() -> None:
    """Two lines or more whose gaps are zero together; once accepted each is cleared and its posting reversed."""
    op.execute(
        """
        CREATE FUNCTION a_clearing_comes_to_nothing() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            of_clearing suspense_clearing;
        BEGIN
            SELECT * INTO of_clearing FROM suspense_clearing WHERE id = (
                CASE TG_TABLE_NAME WHEN 'suspense_clearing' THEN to_jsonb(NEW) ->> 'id'
                     ELSE to_jsonb(NEW) ->> 'clearing_id' END
            )::bigint;
            IF (SELECT count(*) < 2 OR sum(gap_fen) <> 0 FROM suspense_clearing_line
                WHERE clearing_id = of_clearing.id) THEN
                RAISE EXCEPTION 'clearing % does not come to nothing', of_clearing.id
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_clearing_comes_to_nothing';
            END IF;
            IF of_clearing.state = 'accepted' AND EXISTS (
                SELECT FROM suspense_clearing_line line JOIN difference ON difference.id = line.difference_id
                WHERE line.clearing_id = of_clearing.id AND (difference.state <> 'cleared' OR NOT EXISTS (
                    SELECT FROM journal WHERE kind = 'reversal'
                    AND business_ref = 'difference/difference:' || difference.key
                ))
            ) THEN
                RAISE EXCEPTION 'clearing % is not posted', of_clearing.id
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'an_accepted_clearing_is_posted';
            END IF;
            RETURN NULL;
        END $$
        """
    )
    for table, events in (("suspense_clearing", "INSERT OR UPDATE"), ("suspense_clearing_line", "INSERT")):
        op.execute(
            f"CREATE CONSTRAINT TRIGGER {table}_comes_to_nothing AFTER {events} ON {table} "
            "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION a_clearing_comes_to_nothing()"
        )


def _cleared_by_two() -> None:
    """Only what another person agreed to, of a day that is signed off: nothing that a bill could still explain."""
    op.execute(
        """
        CREATE FUNCTION suspense_is_cleared_by_two() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (SELECT FROM suspense_clearing_line WHERE difference_id = NEW.id AND state = 'accepted') THEN
                RAISE EXCEPTION 'nobody agreed to clear difference %', NEW.id
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'suspense_is_cleared_by_two';
            END IF;
            IF NOT EXISTS (SELECT FROM day_sign_off WHERE channel_id = NEW.channel_id AND day = NEW.day) THEN
                RAISE EXCEPTION 'the day % of channel % is not signed off', NEW.day, NEW.channel_id
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'only_a_signed_day_is_cleared';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER suspense_is_cleared_by_two BEFORE UPDATE OF state ON difference FOR EACH ROW
            WHEN (NEW.state = 'cleared') EXECUTE FUNCTION suspense_is_cleared_by_two();
        """
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER suspense_is_cleared_by_two ON difference")
    op.drop_table("suspense_clearing_line")
    op.drop_table("suspense_clearing")
    op.execute(
        "DROP FUNCTION suspense_is_cleared_by_two, a_clearing_comes_to_nothing, a_clearings_lines_stay, "
        "a_clearing_is_decided_once"
    )
    op.execute("ALTER TABLE difference DISABLE TRIGGER USER")
    op.execute("UPDATE difference SET state = 'suspended' WHERE state = 'cleared'")
    op.execute("ALTER TABLE difference ENABLE TRIGGER USER")
    op.execute("ALTER TABLE state_event DISABLE TRIGGER state_event_rows_never_change")
    op.execute("DELETE FROM state_event WHERE machine = 'difference' AND to_state = 'cleared'")
    op.execute("ALTER TABLE state_event ENABLE TRIGGER state_event_rows_never_change")
    op.execute("DELETE FROM state_transition WHERE machine = 'difference' AND to_state = 'cleared'")
    _states(FORMER)
    op.drop_constraint("a_difference_has_one_gap", "difference")
