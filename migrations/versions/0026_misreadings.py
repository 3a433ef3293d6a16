"""Misread plates at exits, and the order in which passages were looked at, so that stays can be rebuilt."""

import sqlalchemy as sa
from alembic import op

from migrations.words import append_only

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.add_column("passage_outcome", sa.Column("place", sa.BigInteger, sa.Identity(always=True), nullable=False))
    op.create_unique_constraint("uq_passage_outcome_place", "passage_outcome", ["place"])
    op.create_table(
        "misreading",
        sa.Column("event_id", sa.BigInteger, nullable=False),
        sa.Column("stay_id", sa.BigInteger, nullable=False),
        sa.Column("distance", sa.BigInteger, nullable=True),
        sa.Column("found_by", sa.BigInteger, nullable=True),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "num_nonnulls(distance, found_by) = 1", name="a_misreading_is_found_by_likeness_or_a_person"
        ),
        sa.CheckConstraint("distance BETWEEN 0 AND 60", name="only_a_close_likeness_is_a_misreading"),
        sa.ForeignKeyConstraint(["event_id"], ["gate_event.id"], name="fk_misreading_event_id"),
        sa.ForeignKeyConstraint(["stay_id"], ["stay.id"], name="fk_misreading_stay_id"),
        sa.ForeignKeyConstraint(["found_by"], ["staff_account.id"], name="fk_misreading_found_by"),
        sa.PrimaryKeyConstraint("event_id", name="pk_misreading"),
    )
    op.create_index("ix_misreading_stay_id", "misreading", ["stay_id"])
    append_only("misreading")


def downgrade() -> None:
    op.drop_table("misreading")
    op.drop_constraint("uq_passage_outcome_place", "passage_outcome")
    op.drop_column("passage_outcome", "place")
