"""A reservation grows by extensions that say so, and in no other way."""

import sqlalchemy as sa
from alembic import op

from migrations.words import append_only, grant

revision = "0023"
down_revision = "0022"

NEVER_CHANGES = """
    CREATE TRIGGER reservation_rows_never_change BEFORE UPDATE OR DELETE ON reservation
        FOR EACH ROW EXECUTE FUNCTION refuse_change()
"""


def upgrade() -> None:
    op.create_table(
        "extension",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("reservation_id", sa.BigInteger(), nullable=False),
        sa.Column("was_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("was_until < ends_at", name="an_extension_is_longer"),
        sa.ForeignKeyConstraint(["reservation_id"], ["reservation.id"], name="fk_extension_reservation_id"),
        sa.PrimaryKeyConstraint("id", name="pk_extension"),
        sa.UniqueConstraint("reservation_id", "was_until", name="an_end_is_put_off_once"),
    )
    append_only("extension")
    _reservations_grow()
    _extensions_lie_in_open_windows()


def _reservations_grow() -> None:
    """Only the end of a reservation changes, only to what its next extension says, which says what it was before."""
    grant("UPDATE (ends_at)", "reservation")
    op.execute(
        """
        DROP TRIGGER reservation_rows_never_change ON reservation;
        CREATE TRIGGER reservation_rows_never_go BEFORE DELETE ON reservation
            FOR EACH ROW EXECUTE FUNCTION refuse_change();

        CREATE FUNCTION a_reservation_grows_by_its_extensions() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF to_jsonb(NEW) - 'ends_at' <> to_jsonb(OLD) - 'ends_at' OR NOT EXISTS (
                SELECT FROM extension
                WHERE reservation_id = OLD.id AND was_until = OLD.ends_at AND ends_at = NEW.ends_at
            ) THEN
                RAISE EXCEPTION 'reservation % changes without an extension', OLD.id
                    USING ERRCODE = 'integrity_constraint_violation',
                          CONSTRAINT = 'a_reservation_grows_by_its_extensions';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER a_reservation_grows_by_its_extensions BEFORE UPDATE ON reservation
            FOR EACH ROW EXECUTE FUNCTION a_reservation_grows_by_its_extensions();

        CREATE FUNCTION an_extension_is_lived() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (SELECT FROM reservation WHERE id = NEW.reservation_id AND ends_at < NEW.ends_at) THEN
                RAISE EXCEPTION 'reservation % is shorter than its extension', NEW.reservation_id
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'an_extension_is_lived';
            END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER an_extension_is_lived AFTER INSERT ON extension
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION an_extension_is_lived();
        """
    )


def _extensions_lie_in_open_windows() -> None:
    """What is promised to a car inside is a promise too, though its claim in use may overstay windows."""
    op.execute(
        """
        CREATE FUNCTION an_extension_lies_in_an_open_window() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            more tstzrange := tstzrange(NEW.was_until, NEW.ends_at);
            which bay;
        BEGIN
            SELECT bay.* INTO which FROM bay
            JOIN bay_claim ON bay_claim.bay_id = bay.id JOIN reservation ON reservation.claim_id = bay_claim.id
            WHERE reservation.id = NEW.reservation_id FOR UPDATE OF bay;
            IF NOT more <@ coalesce((
                SELECT range_agg(open_window.during) FROM open_window
                WHERE open_window.lot_id = which.lot_id AND open_window.during && more), '{}')
               OR EXISTS (SELECT FROM lot_closure WHERE lot_id = which.lot_id AND during && more)
               OR EXISTS (SELECT FROM bay_closure WHERE bay_id = which.id AND during && more) THEN
                RAISE EXCEPTION 'reservation % would last beyond the open hours', NEW.reservation_id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'an_extension_lies_in_an_open_window';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER an_extension_lies_in_an_open_window BEFORE INSERT ON extension
            FOR EACH ROW EXECUTE FUNCTION an_extension_lies_in_an_open_window();
        """
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER a_reservation_grows_by_its_extensions ON reservation")
    op.execute("DROP TRIGGER reservation_rows_never_go ON reservation")
    op.execute("REVOKE UPDATE (ends_at) ON reservation FROM app_rw")
    op.execute(NEVER_CHANGES)
    op.drop_table("extension")
    op.execute(
        "DROP FUNCTION a_reservation_grows_by_its_extensions, an_extension_is_lived, an_extension_lies_in_an_open_window"
    )
