"""Of the treasury's money no person alone returns anything, whatever the city's numbers are."""

from alembic import op

revision = "0063"
down_revision = "0062"

UNDECIDED = "NEW.state = 'approved' AND NEW.regime = 'TREASURY' AND NEW.way = 'channel' AND NEW.decided_by IS NULL"


def upgrade() -> None:
    """Looked at when a refund is approved, once: what one person approved under a number stays. Of 退付 a check says it."""
    op.execute(
        """
        CREATE FUNCTION the_treasurys_money_needs_two_persons() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.asked_by = 'platform' AND (NEW.reason = 'paid_twice') = NEW.surplus AND (NEW.surplus OR EXISTS (
                SELECT FROM charge WHERE id = NEW.charge_id AND state IN ('paid_late', 'refund_full')
            )) THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'nobody but the one who asked has approved refund % of the treasury''s money', NEW.id
                USING ERRCODE = 'integrity_constraint_violation',
                      CONSTRAINT = 'the_treasurys_money_needs_two_persons';
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER the_treasurys_money_needs_two_persons BEFORE INSERT OR UPDATE OF state ON refund "
        f"FOR EACH ROW WHEN ({UNDECIDED}) EXECUTE FUNCTION the_treasurys_money_needs_two_persons()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER the_treasurys_money_needs_two_persons ON refund")
    op.execute("DROP FUNCTION the_treasurys_money_needs_two_persons")
