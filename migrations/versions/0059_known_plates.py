"""A vehicle is added with a plate that is known, not with one that its last owner has just had erased."""

from alembic import op

revision = "0059"
down_revision = "0058"


def upgrade() -> None:
    op.execute(
        """
        CREATE FUNCTION a_vehicle_has_a_known_plate() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            gone timestamptz;
        BEGIN
            SELECT erased_at INTO gone FROM plate WHERE id = NEW.plate_id FOR KEY SHARE;
            IF gone IS NOT NULL THEN
                RAISE EXCEPTION 'plate % is erased', NEW.plate_id
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_vehicle_has_a_known_plate';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER a_vehicle_has_a_known_plate BEFORE INSERT ON vehicle FOR EACH ROW
            WHEN (NEW.removed_at IS NULL) EXECUTE FUNCTION a_vehicle_has_a_known_plate()
        """
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER a_vehicle_has_a_known_plate ON vehicle; DROP FUNCTION a_vehicle_has_a_known_plate")
