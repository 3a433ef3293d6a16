"""Turn-aways: bays kept for reservations as a reason, and reports by motorists (N2.2.3)."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.words import append_only

revision = "0021"
down_revision = "0020"

REASONS = "a_turn_away_has_one_of_the_known_reasons"
KNOWN = "'full', 'closed', 'suspended', 'curfew', 'closed_by_adjustment'"


def upgrade() -> None:
    op.add_column("turn_away", sa.Column("kept_bays", sa.BigInteger, server_default="0", nullable=False))
    op.drop_constraint(REASONS, "turn_away")
    op.create_check_constraint(REASONS, "turn_away", f"reason IN ({KNOWN}, 'kept_for_reservations')")
    op.create_check_constraint(
        "bays_are_kept_for_reservations_or_none_are",
        "turn_away",
        "(reason = 'kept_for_reservations') = (kept_bays > 0)",
    )
    op.create_check_constraint(
        "no_more_bays_are_taken_than_there_are",
        "turn_away",
        "shared_bays >= 0 AND occupied_bays BETWEEN 0 AND shared_bays",
    )
    op.create_index("ix_turn_away_lot_id_at", "turn_away", ["lot_id", "at"])
    _reports()
    append_only("turn_away_report")


def _reports() -> None:
    op.create_table(
        "turn_away_report",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid, nullable=False),
        sa.Column("motorist_id", sa.BigInteger, nullable=False),
        sa.Column("lot_id", sa.BigInteger, nullable=False),
        sa.Column("plate_id", sa.BigInteger, nullable=True),
        sa.Column("around", postgresql.TSTZRANGE, nullable=False),
        sa.Column("lot_state", sa.Text, nullable=False),
        sa.Column("was_open", sa.Boolean, nullable=False),
        sa.Column("shared_bays", sa.BigInteger, nullable=False),
        sa.Column("occupied_bays", sa.BigInteger, nullable=False),
        sa.Column("free_bays", sa.BigInteger, nullable=False),
        sa.CheckConstraint("NOT isempty(around) AND lower_inc(around)", name="a_report_is_made_at_a_moment"),
        sa.CheckConstraint(
            "occupied_bays >= 0 AND free_bays >= 0 AND occupied_bays + free_bays <= shared_bays",
            name="a_report_counts_no_more_bays_than_there_are",
        ),
        postgresql.ExcludeConstraint(
            (sa.column("motorist_id"), "="),
            (sa.column("lot_id"), "="),
            (sa.column("around"), "&&"),
            using="gist",
            name="a_turn_away_is_reported_once",
        ),
        sa.ForeignKeyConstraint(["motorist_id"], ["motorist.id"], name="fk_turn_away_report_motorist_id"),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name="fk_turn_away_report_lot_id"),
        sa.ForeignKeyConstraint(["plate_id"], ["plate.id"], name="fk_turn_away_report_plate_id"),
        sa.PrimaryKeyConstraint("id", name="pk_turn_away_report"),
        sa.UniqueConstraint("key", name="uq_turn_away_report_key"),
    )
    op.create_index("ix_turn_away_report_lot_id", "turn_away_report", ["lot_id"])


def downgrade() -> None:
    op.drop_table("turn_away_report")
    op.drop_index("ix_turn_away_lot_id_at", "turn_away")
    for name in ("no_more_bays_are_taken_than_there_are", "bays_are_kept_for_reservations_or_none_are", REASONS):
        op.drop_constraint(name, "turn_away")
    op.execute("ALTER TABLE turn_away DISABLE TRIGGER turn_away_rows_never_change")
    op.execute("UPDATE turn_away SET reason = 'full' WHERE reason = 'kept_for_reservations'")
    op.execute("ALTER TABLE turn_away ENABLE TRIGGER turn_away_rows_never_change")
    op.create_check_constraint(REASONS, "turn_away", f"reason IN ({KNOWN})")
    op.drop_column("turn_away", "kept_bays")
