"""An account can be erased: who it was is forgotten, what the law keeps stays without saying whose it is."""

import sqlalchemy as sa
from alembic import op

from migrations.words import grant

revision = "0057"
down_revision = "0056"

BY_MOTORISTS = (
    "agreement_signature", "appeal", "consent", "invoice_title", "message_consent", "receipt_mail",
    "regular_application", "reservation", "sign_in", "turn_away_report", "vehicle", "waitlist_entry",
)  # fmt: skip


def upgrade() -> None:
    _motorists()
    _plates()
    _nothing_more()
    _carried()
    grant("UPDATE (name, tax_number)", "invoice_title")
    op.execute(
        """
        CREATE FUNCTION a_title_is_only_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'a title is kept as it is, or emptied'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_title_is_only_emptied';
        END $$;
        CREATE TRIGGER a_title_is_only_emptied BEFORE UPDATE OF name, tax_number ON invoice_title FOR EACH ROW
            WHEN (NEW.name <> '' OR NEW.tax_number IS NOT NULL OR NEW.removed_at IS NULL)
            EXECUTE FUNCTION a_title_is_only_emptied()
        """
    )


def _motorists() -> None:
    """Erased, a motorist has no openid and no phone, and stays so."""
    op.add_column("motorist", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    for column in ("openid_bidx", "openid_enc"):
        op.alter_column("motorist", column, nullable=True)
    op.create_check_constraint(
        "whoever_is_erased_has_no_openid", "motorist",
        "num_nonnulls(openid_bidx, openid_enc) = CASE WHEN erased_at IS NULL THEN 2 ELSE 0 END",
    )  # fmt: skip
    op.create_check_constraint("whoever_is_erased_has_no_phone", "motorist", "erased_at IS NULL OR phone_bidx IS NULL")
    grant("UPDATE (erased_at, openid_bidx, openid_enc)", "motorist")
    op.execute(
        """
        CREATE FUNCTION a_motorist_is_erased_once() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.erased_at IS NOT NULL OR NEW.openid_bidx <> OLD.openid_bidx OR NEW.openid_enc <> OLD.openid_enc THEN
                RAISE EXCEPTION 'a motorist is one person, until erased for good'
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_motorist_is_erased_once';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER a_motorist_is_erased_once BEFORE UPDATE ON motorist
            FOR EACH ROW EXECUTE FUNCTION a_motorist_is_erased_once()
        """
    )
    _revoked("'logged_out', 'token_reused', 'erased'")


def _revoked(reasons: str) -> None:
    op.drop_constraint("a_sign_in_is_revoked_for_a_known_reason", "sign_in")
    op.create_check_constraint("a_sign_in_is_revoked_for_a_known_reason", "sign_in", f"revoked_because IN ({reasons})")


def _plates() -> None:
    """A plate never changes but to be erased, when nobody has it, needs it or is inside with it."""
    op.add_column("plate", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    grant("UPDATE (bidx, characters_bidx, value_enc, erased_at)", "plate")
    grant("UPDATE (plate_id)", "vehicle")
    op.execute(
        """
        CREATE FUNCTION a_plate_is_only_erased() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.erased_at IS NOT NULL OR NEW.erased_at IS NULL
               OR (NEW.id, NEW.key, NEW.colour, NEW.kind) IS DISTINCT FROM (OLD.id, OLD.key, OLD.colour, OLD.kind)
               OR NEW.bidx = OLD.bidx OR NEW.characters_bidx = OLD.characters_bidx OR NEW.value_enc = OLD.value_enc
            THEN
                RAISE EXCEPTION 'plate is append-only'
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'plate_is_append_only';
            ELSIF EXISTS (SELECT FROM vehicle WHERE plate_id = NEW.id AND removed_at IS NULL)
               OR EXISTS (SELECT FROM bay_claim WHERE plate_id = NEW.id AND state IN ('held', 'confirmed', 'in_use'))
               OR EXISTS (SELECT FROM stay WHERE plate_id = NEW.id AND state IN ('parked', 'owing'))
            THEN
                RAISE EXCEPTION 'plate % is in use', NEW.id
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_plate_in_use_is_kept';
            END IF;
            RETURN NEW;
        END $$;
        DROP TRIGGER plate_rows_never_change ON plate;
        CREATE TRIGGER plate_rows_never_change BEFORE DELETE ON plate FOR EACH ROW EXECUTE FUNCTION refuse_change();
        CREATE TRIGGER a_plate_is_only_erased BEFORE UPDATE ON plate
            FOR EACH ROW EXECUTE FUNCTION a_plate_is_only_erased();
        CREATE FUNCTION a_vehicle_keeps_its_plate() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.removed_at IS NULL OR NOT EXISTS (
                SELECT FROM plate WHERE id = NEW.plate_id AND erased_at IS NOT NULL
            ) THEN
                RAISE EXCEPTION 'a vehicle keeps its plate'
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_vehicle_keeps_its_plate';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER a_vehicle_keeps_its_plate BEFORE UPDATE OF plate_id ON vehicle FOR EACH ROW
            WHEN (OLD.plate_id <> NEW.plate_id) EXECUTE FUNCTION a_vehicle_keeps_its_plate()
        """
    )


def _nothing_more() -> None:
    """Whatever a motorist does waits for an erasure that is under way, and is refused after it."""
    op.execute(
        """
        CREATE FUNCTION an_erased_motorist_does_nothing() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            gone timestamptz;
        BEGIN
            SELECT erased_at INTO gone FROM motorist WHERE id = NEW.motorist_id FOR KEY SHARE;
            IF gone IS NOT NULL THEN
                RAISE EXCEPTION 'motorist % is erased', NEW.motorist_id
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'an_erased_motorist_does_nothing';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    for table in BY_MOTORISTS:
        _watched(table, "INSERT")
    _watched("stay", "INSERT OR UPDATE OF motorist_id")


def _watched(table: str, event: str) -> None:
    op.execute(
        f"CREATE TRIGGER {table}_is_of_nobody_erased BEFORE {event} ON {table} FOR EACH ROW "
        "WHEN (NEW.motorist_id IS NOT NULL) EXECUTE FUNCTION an_erased_motorist_does_nothing()"
    )


def _carried() -> None:
    op.create_table(
        "carried_measure",
        sa.Column("app_id", sa.Text, primary_key=True),
        sa.Column("openid_digest", sa.LargeBinary, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.CheckConstraint("octet_length(openid_digest) = 16", name="a_carried_digest_has_16_bytes"),
        sa.CheckConstraint("kind IN ('cooling_off', 'suspension')", name="what_stops_reservations_is_carried"),
        sa.CheckConstraint("began_at < ends_at AND ends_at <= began_at + interval '8760 hours'",
                           name="what_is_carried_ends_within_a_year"),
        sa.CheckConstraint("reason <> ''", name="what_is_carried_says_why"),
    )  # fmt: skip
    op.create_index("ix_carried_measure_ends_at", "carried_measure", ["ends_at"])
    grant("SELECT, INSERT, DELETE", "carried_measure")


def downgrade() -> None:
    """Only where nobody was erased: nobody is known again."""
    op.execute(
        """
        DO $$ BEGIN
            IF EXISTS (SELECT FROM motorist WHERE erased_at IS NOT NULL) THEN
                RAISE EXCEPTION 'accounts were erased: this step cannot be taken back';
            END IF;
        END $$;
        DROP TRIGGER a_title_is_only_emptied ON invoice_title;
        DROP FUNCTION a_title_is_only_emptied;
        REVOKE UPDATE (name, tax_number) ON invoice_title FROM app_rw
        """
    )
    op.drop_table("carried_measure")
    for table in (*BY_MOTORISTS, "stay"):
        op.execute(f"DROP TRIGGER {table}_is_of_nobody_erased ON {table}")
    op.execute(
        """
        DROP FUNCTION an_erased_motorist_does_nothing;
        DROP TRIGGER a_vehicle_keeps_its_plate ON vehicle;
        DROP TRIGGER a_plate_is_only_erased ON plate;
        DROP TRIGGER plate_rows_never_change ON plate;
        CREATE TRIGGER plate_rows_never_change BEFORE UPDATE OR DELETE ON plate
            FOR EACH ROW EXECUTE FUNCTION refuse_change();
        DROP FUNCTION a_vehicle_keeps_its_plate, a_plate_is_only_erased;
        REVOKE UPDATE (plate_id) ON vehicle FROM app_rw;
        REVOKE UPDATE (bidx, characters_bidx, value_enc) ON plate FROM app_rw;
        REVOKE UPDATE (openid_bidx, openid_enc) ON motorist FROM app_rw;
        DROP TRIGGER a_motorist_is_erased_once ON motorist;
        DROP FUNCTION a_motorist_is_erased_once
        """
    )
    op.drop_column("plate", "erased_at")
    for name in ("whoever_is_erased_has_no_openid", "whoever_is_erased_has_no_phone"):
        op.drop_constraint(name, "motorist")
    for column in ("openid_bidx", "openid_enc"):
        op.alter_column("motorist", column, nullable=False)
    op.drop_column("motorist", "erased_at")
    _revoked("'logged_out', 'token_reused'")
