"""What a search needs to find quickly and to learn of changes."""

import sqlalchemy as sa
from alembic import op

from migrations.words import grant

revision = "0014"
down_revision = "0013"

WHOSE_LOT = {
    "bay_claim": "SELECT DISTINCT bay.lot_id FROM {rows} r JOIN bay ON bay.id = r.bay_id",
    "bay_closure": "SELECT DISTINCT bay.lot_id FROM {rows} r JOIN bay ON bay.id = r.bay_id",
    "opening_plan": "SELECT DISTINCT lot_id FROM {rows}",
    "agreement_lot": "SELECT DISTINCT lot_id FROM {rows}",
    "operator": (
        "SELECT DISTINCT lot_id FROM {rows} r JOIN operating_agreement ON operator_id = r.id "
        "JOIN agreement_lot ON agreement_id = operating_agreement.id"
    ),
    "lot_announcement": "SELECT DISTINCT lot_id FROM {rows}",
    "lot": "SELECT id FROM {rows}",
    "bay": "SELECT DISTINCT lot_id FROM {rows}",
    "open_window": "SELECT DISTINCT lot_id FROM {rows}",
    "lot_closure": "SELECT DISTINCT lot_id FROM {rows}",
    "lot_tariff": "SELECT DISTINCT lot_id FROM {rows}",
    "lot_reference": "SELECT DISTINCT lot_id FROM {rows}",
    "reference_lot": "SELECT DISTINCT lot_reference.lot_id FROM {rows} r JOIN lot_reference ON reference_lot_id = r.id",
    "unit": "SELECT lot.id FROM lot JOIN {rows} r ON r.id = lot.unit_id",
    "unit_finding": "SELECT DISTINCT lot.id FROM lot JOIN {rows} r ON r.unit_id = lot.unit_id",
}
"""For each table that a search reads: which lots its changed rows belong to."""
EVENTS = {"INSERT": "new", "UPDATE": "new", "DELETE": "old"}


def upgrade() -> None:
    op.create_table(
        "lot_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("transaction_id", sa.BigInteger(), server_default=sa.func.txid_current(), nullable=False),
        sa.Column("is_pressing", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.func.clock_timestamp(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_lot_change"),
    )
    op.create_index("ix_lot_change_transaction_id", "lot_change", ["transaction_id", "lot_id"])
    op.create_index("ix_lot_change_pressing", "lot_change", ["transaction_id"], postgresql_where=sa.text("is_pressing"))
    op.create_index("ix_lot_change_at", "lot_change", ["at"])
    grant("SELECT, INSERT, DELETE", "lot_change")
    for table, lots in WHOSE_LOT.items():
        _tell_changes(table, lots.format(rows="changed"), is_pressing=table != "bay_claim")


def _tell_changes(table: str, lots: str, *, is_pressing: bool) -> None:
    op.execute(
        f"""
        CREATE FUNCTION {table}_tells_searches() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO lot_change (lot_id, is_pressing) SELECT lot_id, {is_pressing} FROM ({lots}) AS told (lot_id);
            RETURN NULL;
        END $$
        """
    )
    for event, transition in EVENTS.items():
        op.execute(
            f"CREATE TRIGGER {table}_tells_searches_{event.lower()} AFTER {event} ON {table} "
            f"REFERENCING {transition.upper()} TABLE AS changed "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_tells_searches()"
        )


def downgrade() -> None:
    for table in WHOSE_LOT:
        for event in EVENTS:
            op.execute(f"DROP TRIGGER {table}_tells_searches_{event.lower()} ON {table}")
        op.execute(f"DROP FUNCTION {table}_tells_searches()")
    op.drop_table("lot_change")
