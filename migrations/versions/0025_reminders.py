"""Reminders to leave before a lot closes."""

import sqlalchemy as sa
from alembic import op

from migrations.words import append_only

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.create_table(
        "reminder",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("stay_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('first', 'second', 'closing', 'after')", name="a_reminder_is_of_a_known_kind"),
        sa.CheckConstraint("kind <> 'after' OR reminded_at >= closes_at", name="a_late_reminder_comes_after_closing"),
        sa.CheckConstraint(
            "kind = 'after' OR kind = 'closing' OR reminded_at < closes_at",
            name="an_early_reminder_comes_before_closing",
        ),
        sa.ForeignKeyConstraint(["stay_id"], ["stay.id"], name="fk_reminder_stay_id"),
        sa.PrimaryKeyConstraint("id", name="pk_reminder"),
        sa.UniqueConstraint("stay_id", "kind", name="a_stay_is_reminded_once_of_a_kind"),
    )
    append_only("reminder")


def downgrade() -> None:
    op.drop_table("reminder")
