"""What units report to have used the money for, by the purposes that the notice names."""

import sqlalchemy as sa
from alembic import op

from migrations.words import append_only, written_down

revision = "0040"
down_revision = "0039"


def upgrade() -> None:
    op.create_table(
        "money_use",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        *(
            sa.Column(name, sa.BigInteger, nullable=False)
            for name in ("unit_id", "version", "amount_fen", "reported_by")
        ),
        sa.Column("month", sa.Date, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("purpose", "basis")),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_money_use"),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_money_use_unit_id"),
        sa.ForeignKeyConstraint(["reported_by"], ["staff_account.id"], name="fk_money_use_reported_by"),
        sa.UniqueConstraint("unit_id", "month", "purpose", "version", name="a_use_is_numbered_once"),
        sa.CheckConstraint(
            "purpose IN ('platform_service', 'berth_management', 'facilities', 'other')", name="a_use_has_a_purpose"
        ),
        sa.CheckConstraint("amount_fen >= 0 AND version >= 1", name="a_use_is_a_sum"),
        sa.CheckConstraint("extract(day FROM month) = 1", name="a_use_is_of_a_month"),
        sa.CheckConstraint("basis <> ''", name="a_use_says_on_what_it_rests"),
    )
    append_only("money_use")
    written_down("money_use", "unit_id", "month", "purpose", "version", "amount_fen", "reported_by")


def downgrade() -> None:
    op.drop_table("money_use")
