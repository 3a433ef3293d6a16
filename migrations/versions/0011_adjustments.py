"""Messages to motorists, adjustments, displaced reservations, waivers on a recorded basis."""

import sqlalchemy as sa
from alembic import op

from migrations.words import grant

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    _messages()


def _messages() -> None:
    op.create_table(
        "message",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("motorist_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("title <> '' AND body <> ''", name="a_message_says_something"),
        sa.CheckConstraint("read_at >= told_at", name="a_message_is_read_after_it_was_told"),
        sa.ForeignKeyConstraint(["motorist_id"], ["motorist.id"], name="fk_message_motorist_id"),
        sa.PrimaryKeyConstraint("id", name="pk_message"),
        sa.UniqueConstraint("key", name="uq_message_key"),
        sa.UniqueConstraint("motorist_id", "kind", "subject", name="a_motorist_is_told_once_of_a_subject"),
    )
    op.create_index("ix_message_motorist_id_id", "message", ["motorist_id", "id"])
    op.create_index("ix_message_unread", "message", ["motorist_id"], postgresql_where=sa.text("read_at IS NULL"))
    grant("SELECT, INSERT, UPDATE (read_at)", "message")


def downgrade() -> None:
    op.drop_table("message")
