"""Nobody owes what no second person has vouched for, and no order goes through a channel that takes none."""

from alembic import op

revision = "0065"
down_revision = "0064"


def upgrade() -> None:
    op.execute(
        """
        CREATE FUNCTION a_charge_is_for_a_confirmed_payee() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (
                SELECT FROM payee_confirmation said JOIN payee ON payee.id = said.payee_id
                WHERE said.payee_id = NEW.payee_id AND NOT valid >> tstzrange(NEW.created_at, NEW.created_at, '[]')
            ) THEN
                RAISE EXCEPTION 'payee % collects nothing at %', NEW.payee_id, NEW.created_at
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_charge_is_for_a_confirmed_payee';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER a_charge_is_for_a_confirmed_payee BEFORE INSERT ON charge
            FOR EACH ROW EXECUTE FUNCTION a_charge_is_for_a_confirmed_payee();
        CREATE FUNCTION an_order_goes_through_a_channel_that_takes_it() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (SELECT FROM merchant_channel WHERE id = NEW.channel_id AND valid @> NEW.created_at) THEN
                RAISE EXCEPTION 'channel % takes no order at %', NEW.channel_id, NEW.created_at
                    USING ERRCODE = 'integrity_constraint_violation',
                          CONSTRAINT = 'an_order_goes_through_a_channel_that_takes_it';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER an_order_goes_through_a_channel_that_takes_it BEFORE INSERT ON payment_order
            FOR EACH ROW EXECUTE FUNCTION an_order_goes_through_a_channel_that_takes_it()
        """
    )


def downgrade() -> None:
    op.execute(
        "DROP TRIGGER an_order_goes_through_a_channel_that_takes_it ON payment_order; "
        "DROP TRIGGER a_charge_is_for_a_confirmed_payee ON charge; "
        "DROP FUNCTION an_order_goes_through_a_channel_that_takes_it, a_charge_is_for_a_confirmed_payee"
    )
