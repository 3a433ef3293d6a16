"""The audit log hears of charges, bills, comparisons, differences and bank lines as well, whoever writes them."""

from alembic import op

from migrations.words import change_written_down, line_written_down, written_down

revision = "0044"
down_revision = "0043"

TOLD = {
    "charge": ("payee_id", "amount_fen", "source_kind", "source_key", "state"),
    "bill_file": (
        "day_id", "kind", "version", "state", "code", "sha1", "sha256", "lines", "paid_fen", "refunded_fen", "fee_fen",
    ),
    "recon_run": (
        "channel_id", "day", "trade_file_id", "flow_file_id", "theirs", "theirs_fen", "ours", "ours_fen", "matched_fen",
    ),
    "difference": ("channel_id", "day", "class", "subject", "theirs_fen", "ours_fen", "state", "owner"),
    "day_proposal": ("run_id", "channel_id", "day", "made_by"),
    "settlement_arrival": ("flow_id", "statement_id", "line", "by_reference"),
}  # fmt: skip
MOVING = {"charge": "state", "difference": "state"}


def upgrade() -> None:
    op.execute(
        """
        CREATE FUNCTION write_down_line() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE told jsonb := to_jsonb(NEW);
        BEGIN
            INSERT INTO public.audit_entry (at, actor, action, subject, subject_id, detail, request_id)
            SELECT clock_timestamp(), 'database', TG_TABLE_NAME || '.written', TG_TABLE_NAME,
                   (told ->> TG_ARGV[0])::bigint, jsonb_object_agg(name, told -> name), '' FROM unnest(TG_ARGV) AS name;
            RETURN NULL;
        END $$
        """
    )
    for table, columns in TOLD.items():
        written_down(table, *columns, moving=MOVING.get(table))
    change_written_down("difference", "owner", *TOLD["difference"])
    change_written_down("receipt_terms", "valid", "payee_id", "valid", "item_code", "confirmed_by")
    line_written_down("bank_line", "statement_id", "number", "booked_on", "amount_fen")


def downgrade() -> None:
    for table in (*TOLD, "bank_line"):
        op.execute(f"DROP TRIGGER {table}_is_written_down ON {table}")
    for table in MOVING:
        op.execute(f"DROP TRIGGER {table}_move_is_written_down ON {table}")
    op.execute("DROP TRIGGER receipt_terms_valid_is_written_down ON receipt_terms")
    op.execute("DROP TRIGGER difference_owner_is_written_down ON difference")
    op.execute("DROP FUNCTION write_down_line")
