"""A lot that is suspended or withdrawn keeps no promise that nobody cares for."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

KINDS = ("close", "bays", "hours", "free", "calendar")
REASONS = ("major_event", "emergency", "construction", "unit_duty", "safety", "calendar", "other")
EMERGENCY = "(kind = 'close' AND reason_class = 'emergency' AND review_at IS NOT NULL)"
FUNCTIONS = ("a_shut_lot_keeps_no_promise_unnoticed()", "demand_no_promise_in(bigint)")


def upgrade() -> None:
    op.add_column("adjustment", sa.Column("ordered", sa.Boolean(), server_default="false", nullable=False))
    _one_of("kind", "an_adjustment_is_of_a_known_kind", (*KINDS, "suspension"))
    _one_of("reason_class", "an_adjustment_has_a_known_reason", (*REASONS, "suspension"))
    _endless(f"{EMERGENCY} OR kind = 'suspension'")
    op.execute(promise_lies_in_a_window("AND lot.state = 'open'"))
    _suspended_lots_are_cared_for()
    op.execute(an_applied_adjustment_leaves_no_promise(SUSPENDED))


def _one_of(column: str, name: str, words: tuple[str, ...]) -> None:
    op.drop_constraint(name, "adjustment", type_="check")
    op.create_check_constraint(name, "adjustment", f"{column} IN ({', '.join(repr(word) for word in words)})")


def _endless(rule: str) -> None:
    name = "an_adjustment_ends_or_is_an_emergency_under_review"
    op.drop_constraint(name, "adjustment", type_="check")
    op.create_check_constraint(name, "adjustment", f"NOT upper_inf(during) OR {rule}")


def promise_lies_in_a_window(lot: str) -> str:
    """The guard of 0011; `lot` is what it asks of the lot besides."""
    return f"""
        CREATE OR REPLACE FUNCTION a_promise_lies_in_an_open_window() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.state NOT IN ('held', 'confirmed') THEN RETURN NEW; END IF;
            PERFORM 1 FROM bay WHERE id = NEW.bay_id FOR UPDATE;
            IF NOT EXISTS (
                SELECT 1 FROM bay JOIN lot ON lot.id = bay.lot_id {lot}
                WHERE bay.id = NEW.bay_id AND bay.shared AND NEW.during <@ (
                    SELECT range_agg(open_window.during) FROM open_window
                    WHERE open_window.lot_id = bay.lot_id AND open_window.during && NEW.during)
            ) THEN
                RAISE EXCEPTION 'claim outside the open windows of its bay'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'a_promise_lies_in_an_open_window';
            END IF;
            IF EXISTS (
                SELECT 1 FROM lot_closure JOIN bay ON bay.lot_id = lot_closure.lot_id
                WHERE bay.id = NEW.bay_id AND lot_closure.during && NEW.during
            ) THEN
                RAISE EXCEPTION 'claim in a lot that is closed then'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'a_promise_lies_in_an_open_window';
            END IF;
            IF EXISTS (SELECT 1 FROM bay_closure WHERE bay_id = NEW.bay_id AND during && NEW.during) THEN
                RAISE EXCEPTION 'claim on a bay that is closed then'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'a_promise_lies_outside_closures';
            END IF;
            RETURN NEW;
        END $$
    """


SUSPENDED = """
            IF EXISTS (
                SELECT FROM adjustment JOIN lot ON lot.id = NEW.lot_id
                WHERE adjustment.id = NEW.adjustment_id AND adjustment.kind = 'suspension' AND lot.state <> 'open'
            ) THEN PERFORM demand_no_promise_in(NEW.lot_id); END IF;
"""


def an_applied_adjustment_leaves_no_promise(more: str) -> str:
    """The function of 0011, with what it must look at besides."""
    return f"""
        CREATE OR REPLACE FUNCTION an_applied_adjustment_leaves_no_promise() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM demand_no_promise_under(NEW.adjustment_id, NEW.lot_id);
            {more}
            RETURN NULL;
        END $$
    """


def _suspended_lots_are_cared_for() -> None:
    """The state binds new promises from its commit on. Older ones are gone by then, or somebody works on them.

    Who makes a promise holds its bay; who looks for promises waits for the bays, so that none slips by.
    """
    op.execute(
        """
        CREATE FUNCTION demand_no_promise_in(which bigint) RETURNS void LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM FROM bay WHERE lot_id = which ORDER BY id FOR UPDATE;
            IF EXISTS (
                SELECT FROM bay_claim JOIN bay ON bay.id = bay_claim.bay_id
                WHERE bay.lot_id = which AND bay_claim.state IN ('held', 'confirmed')
            ) THEN
                RAISE EXCEPTION 'lot % is shut and has promises', which
                    USING ERRCODE = 'integrity_constraint_violation',
                          CONSTRAINT = 'a_shut_lot_keeps_no_promise_unnoticed';
            END IF;
        END $$;

        CREATE FUNCTION a_shut_lot_keeps_no_promise_unnoticed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (SELECT FROM lot WHERE id = NEW.id AND state IN ('suspended', 'withdrawn')) AND NOT EXISTS (
                SELECT FROM adjustment_lot JOIN adjustment ON adjustment.id = adjustment_lot.adjustment_id
                WHERE adjustment_lot.lot_id = NEW.id AND adjustment_lot.applied_at IS NULL
                  AND adjustment.kind = 'suspension' AND adjustment.ended_at IS NULL
            ) THEN PERFORM demand_no_promise_in(NEW.id); END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER a_shut_lot_keeps_no_promise_unnoticed AFTER INSERT OR UPDATE OF state ON lot
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.state IN ('suspended', 'withdrawn'))
            EXECUTE FUNCTION a_shut_lot_keeps_no_promise_unnoticed();
        """
    )


def downgrade() -> None:
    """Suspensions that were written down become closings whose end nobody knows; a moment of review is made up."""
    op.execute("DROP TRIGGER a_shut_lot_keeps_no_promise_unnoticed ON lot")
    op.execute(an_applied_adjustment_leaves_no_promise(""))
    op.execute(f"DROP FUNCTION {', '.join(FUNCTIONS)}")
    op.execute(promise_lies_in_a_window(""))
    op.execute("ALTER TABLE adjustment DISABLE TRIGGER an_adjustment_ends_once")
    op.execute(
        "UPDATE adjustment SET kind = 'close', reason_class = 'emergency', review_at = made_at WHERE kind = 'suspension'"
    )
    op.execute("ALTER TABLE adjustment ENABLE TRIGGER an_adjustment_ends_once")
    _endless(EMERGENCY)
    _one_of("reason_class", "an_adjustment_has_a_known_reason", REASONS)
    _one_of("kind", "an_adjustment_is_of_a_known_kind", KINDS)
    op.drop_column("adjustment", "ordered")
