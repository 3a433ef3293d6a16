"""Gates that speak a vendor's dialect: who they are, what their own lists hold, and which of their news is proved."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.words import grant

revision = "0019"
down_revision = "0018"

PROFILES = "profile IN ('gate-v1', 'vz-http', 'parkingcam-http', 'isecure')"


def upgrade() -> None:
    op.create_unique_constraint("a_gate_speaks_one_dialect", "gate_device", ["id", "profile"])
    op.create_check_constraint("a_dialect_is_known", "gate_device", PROFILES)
    op.add_column("gate_event", sa.Column("verified", sa.Boolean(), server_default="true", nullable=False))
    _gates()
    _lists()
    grant("SELECT, INSERT, UPDATE", "vendor_gate", "vendor_list")
    _refuse_unverified_stays()


def _gates() -> None:
    op.create_table(
        "vendor_gate",
        sa.Column("device_id", sa.BigInteger(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("addresses", postgresql.ARRAY(postgresql.CIDR()), server_default="{}", nullable=False),
        sa.Column("passage_input", sa.SmallInteger(), nullable=True),
        sa.Column("web_url", sa.Text(), nullable=True),
        sa.Column("replayed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("beat_count", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("profile <> 'gate-v1'", name="our_own_dialect_is_no_vendors"),
        sa.CheckConstraint("serial <> ''", name="a_vendors_gate_has_a_serial_number"),
        sa.CheckConstraint("passage_input BETWEEN 0 AND 4", name="a_passage_is_told_by_an_input"),
        sa.ForeignKeyConstraint(
            ["device_id", "profile"], ["gate_device.id", "gate_device.profile"], name="a_vendors_gate_is_a_gate_of_it"
        ),
        sa.PrimaryKeyConstraint("device_id", name="pk_vendor_gate"),
        sa.UniqueConstraint("profile", "serial", name="a_serial_number_names_one_gate"),
    )


def _lists() -> None:
    op.create_table(
        "vendor_list",
        sa.Column("device_id", sa.BigInteger(), nullable=False),
        sa.Column("held_enc", sa.LargeBinary(), nullable=True),
        sa.Column("ours_enc", sa.LargeBinary(), nullable=True),
        sa.Column("part_enc", sa.LargeBinary(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("proved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_changing", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("failures", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["vendor_gate.device_id"], name="fk_vendor_list_device_id"),
        sa.PrimaryKeyConstraint("device_id", name="pk_vendor_list"),
    )


def _refuse_unverified_stays() -> None:
    """No stay begins or ends, and so no money is asked for, by what anybody could have sent."""
    op.execute(
        """
        CREATE FUNCTION refuse_unverified_passage() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (
                SELECT FROM gate_event WHERE id IN (NEW.entry_event_id, NEW.exit_event_id) AND NOT verified
            ) THEN
                RAISE EXCEPTION 'an unverified passage moves no stay' USING ERRCODE = 'check_violation',
                    CONSTRAINT = 'a_stay_rests_on_verified_passages';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER a_stay_rests_on_verified_passages BEFORE INSERT OR UPDATE OF entry_event_id, exit_event_id "
        "ON stay FOR EACH ROW EXECUTE FUNCTION refuse_unverified_passage()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER a_stay_rests_on_verified_passages ON stay")
    op.execute("DROP FUNCTION refuse_unverified_passage()")
    op.drop_table("vendor_list")
    op.drop_table("vendor_gate")
    op.drop_column("gate_event", "verified")
    op.drop_constraint("a_dialect_is_known", "gate_device")
    op.drop_constraint("a_gate_speaks_one_dialect", "gate_device")
