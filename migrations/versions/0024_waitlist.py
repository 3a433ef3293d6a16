"""Who waits for a bay of a full lot, and what he was offered."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.words import follows_graph, forget_graph, grant, graph

revision = "0024"
down_revision = "0023"

WAITLIST = (
    ("", "join", "waiting"),
    ("waiting", "offer", "offered"),
    ("waiting", "leave", "left"),
    ("waiting", "end", "over"),
    ("offered", "withdraw", "waiting"),
    ("offered", "accept", "kept"),
    ("offered", "decline", "declined"),
    ("offered", "lapse", "lapsed"),
)
STILL_WAITS = sa.text("state IN ('waiting', 'offered')")


def upgrade() -> None:
    op.create_table(
        "waitlist_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("motorist_id", sa.BigInteger(), nullable=False),
        sa.Column("vehicle_id", sa.BigInteger(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("during", postgresql.TSTZRANGE(), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("offer_claim_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'offered', 'kept', 'declined', 'lapsed', 'left', 'over')",
            name="a_waitlist_entry_is_in_a_known_state",
        ),
        sa.CheckConstraint(
            "(lower_inc(during) AND NOT upper_inc(during) AND isfinite(lower(during)) "
            "AND isfinite(upper(during))) IS TRUE",
            name="a_waitlist_entry_is_for_a_finite_half_open_span",
        ),
        sa.CheckConstraint(
            "(state IN ('offered', 'kept', 'declined', 'lapsed')) = (offer_claim_id IS NOT NULL)",
            name="who_was_offered_a_bay_names_it",
        ),
        postgresql.ExcludeConstraint(
            (sa.column("motorist_id"), "="),
            (sa.column("during"), "&&"),
            using="gist",
            where=STILL_WAITS,
            name="a_motorist_waits_once_for_a_time",
        ),
        sa.ForeignKeyConstraint(["motorist_id"], ["motorist.id"], name="fk_waitlist_entry_motorist_id"),
        sa.ForeignKeyConstraint(["vehicle_id"], ["vehicle.id"], name="fk_waitlist_entry_vehicle_id"),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name="fk_waitlist_entry_lot_id"),
        sa.ForeignKeyConstraint(["offer_claim_id"], ["bay_claim.id"], name="fk_waitlist_entry_offer_claim_id"),
        sa.PrimaryKeyConstraint("id", name="pk_waitlist_entry"),
        sa.UniqueConstraint("key", name="uq_waitlist_entry_key"),
        sa.UniqueConstraint("offer_claim_id", name="uq_waitlist_entry_offer_claim_id"),
    )
    op.create_index(
        "ix_waitlist_entry_lot_id_joined_at_id",
        "waitlist_entry",
        ["lot_id", "joined_at", "id"],
        postgresql_where=STILL_WAITS,
    )
    op.create_index("ix_waitlist_entry_motorist_id_id", "waitlist_entry", ["motorist_id", "id"])
    graph("waitlist", WAITLIST)
    follows_graph("waitlist_entry", "waitlist")
    grant("SELECT, INSERT, UPDATE (state, offer_claim_id)", "waitlist_entry")


def downgrade() -> None:
    op.drop_table("waitlist_entry")
    forget_graph("waitlist")
