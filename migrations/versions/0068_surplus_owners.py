"""Second payments in suspense have an owner as well, who may be named."""

import sqlalchemy as sa
from alembic import op

from migrations.words import append_only, written_down

revision = "0068"
down_revision = "0067"


def upgrade() -> None:
    op.create_table(
        "surplus_owner",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("payment_id", sa.BigInteger, nullable=False),
        sa.Column("owner", sa.Text, nullable=False), sa.Column("assigned_by", sa.Text, nullable=False),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_surplus_owner"),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name="fk_surplus_owner_payment_id"),
        sa.CheckConstraint("owner <> '' AND assigned_by <> ''", name="an_owner_is_named_by_somebody"),
    )  # fmt: skip
    op.create_index("ix_surplus_owner_payment_id", "surplus_owner", ["payment_id"])
    append_only("surplus_owner")
    written_down("surplus_owner", "payment_id", "owner", "assigned_by")


def downgrade() -> None:
    op.drop_table("surplus_owner")
