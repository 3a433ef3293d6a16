"""Car-parks' own systems: the key that each knows us by, and how far its crossing records were read."""

import sqlalchemy as sa
from alembic import op

from migrations.words import grant

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.create_table(
        "park_system",
        sa.Column("device_id", sa.BigInteger(), nullable=False),
        sa.Column("app_key", sa.Text(), nullable=False),
        sa.Column("secret_enc", sa.LargeBinary(), nullable=False),
        sa.Column("read_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("app_key <> ''", name="a_park_system_knows_us_by_a_key"),
        sa.ForeignKeyConstraint(["device_id"], ["vendor_gate.device_id"], name="fk_park_system_device_id"),
        sa.PrimaryKeyConstraint("device_id", name="pk_park_system"),
    )
    op.create_index("ix_park_system_due_at", "park_system", ["due_at"])
    grant("SELECT, INSERT, UPDATE", "park_system")


def downgrade() -> None:
    op.drop_table("park_system")
