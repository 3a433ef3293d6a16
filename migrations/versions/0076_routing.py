"""Whose a lot's money is, one person proposes and another lets come true."""

import sqlalchemy as sa
from alembic import op

from migrations.words import append_only, written_down

revision = "0076"
down_revision = "0075"

TOLD = ("lot_id", "unit_id", "payee_id", "valid")
PROPOSED = ["proposal_id", "lot_id", "payee_id", "proposed_by", "since"]


def upgrade() -> None:
    _proposals()
    _payees()
    _told(*TOLD, "proposed_by", "confirmed_by")


def _proposals() -> None:
    op.create_table(
        "lot_payee_proposal",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("key", sa.Uuid, nullable=False),
        sa.Column("lot_id", sa.BigInteger, sa.ForeignKey("lot.id"), nullable=False),
        sa.Column("payee_id", sa.BigInteger, sa.ForeignKey("payee.id"), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proposed_by", sa.Text, nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("key", name="uq_lot_payee_proposal_key"),
        sa.UniqueConstraint(
            "id",
            "lot_id",
            "payee_id",
            "proposed_by",
            "valid_from",
            name="a_proposal_names_one_payee_from_a_moment_on",
        ),
    )
    append_only("lot_payee_proposal")
    written_down("lot_payee_proposal", "lot_id", "payee_id", "valid_from", "proposed_by")


def _payees() -> None:
    """What one person laid down before holds as it did; who it was stands in the audit log."""
    op.add_column(
        "lot_payee", sa.Column("since", sa.DateTime(timezone=True), sa.Computed("lower(valid)", persisted=True))
    )
    op.add_column("lot_payee", sa.Column("proposal_id", sa.BigInteger, nullable=True))
    op.add_column("lot_payee", sa.Column("proposed_by", sa.Text, nullable=False, server_default="unrecorded"))
    op.add_column(
        "lot_payee",
        sa.Column("confirmed_by", sa.Text, nullable=False, server_default="before a second person was asked"),
    )
    for column in ("proposed_by", "confirmed_by"):
        op.alter_column("lot_payee", column, server_default=None)
    op.execute(
        """
        INSERT INTO lot_payee_proposal (key, lot_id, payee_id, valid_from, proposed_by, proposed_at)
        SELECT gen_random_uuid(), lot_id, payee_id, since, proposed_by, now() FROM lot_payee;
        UPDATE lot_payee SET proposal_id = proposal.id FROM lot_payee_proposal proposal
        WHERE (proposal.lot_id, proposal.valid_from) = (lot_payee.lot_id, lot_payee.since)
        """
    )
    op.alter_column("lot_payee", "proposal_id", nullable=False)
    op.create_unique_constraint("a_proposal_comes_true_once", "lot_payee", ["proposal_id"])
    op.create_foreign_key(
        "a_lots_payee_is_the_one_that_was_proposed", "lot_payee", "lot_payee_proposal", PROPOSED,
        ["id", "lot_id", "payee_id", "proposed_by", "valid_from"],
    )  # fmt: skip
    op.create_check_constraint(
        "a_lots_payee_is_confirmed_by_another_person", "lot_payee", "confirmed_by <> proposed_by"
    )


def _told(*columns: str) -> None:
    for trigger in ("is_written_down", "move_is_written_down"):
        op.execute(f"DROP TRIGGER lot_payee_{trigger} ON lot_payee")
    written_down("lot_payee", *columns, moving="valid")


def downgrade() -> None:
    _told(*TOLD)
    for column in ("proposal_id", "since", "proposed_by", "confirmed_by"):
        op.drop_column("lot_payee", column)
    op.drop_table("lot_payee_proposal")
