"""What rests sealed of persons beside what the law keeps - payers, notices, plates as cameras read them - is forgotten in time."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from migrations.words import grant

revision = "0060"
down_revision = "0059"

TOLD_BY_GATES = {"gate_event": "received_at", "gate_rejection": "received_at", "gate_decision": "decided_at"}
SEALED: dict[str, Sequence[str]] = {
    "gate_event": ("plate_enc", "body_enc"), "gate_rejection": ("body_enc",), "gate_decision": ("answer_enc",),
    "callback_inbox": ("raw",), "combined_order": ("body",), "payment_order": ("payer", "body"),
}  # fmt: skip
ALWAYS_THERE = {
    "gate_event": "body_enc", "gate_rejection": "body_enc", "gate_decision": "answer_enc", "callback_inbox": "raw",
    "combined_order": "body", "payment_order": "payer",
}  # fmt: skip
BEGINS = {
    **TOLD_BY_GATES,
    "callback_inbox": "received_at",
    "combined_order": "created_at",
    "payment_order": "created_at",
}
KEPT_DAYS = {
    **dict.fromkeys(TOLD_BY_GATES, 90),
    **dict.fromkeys(("callback_inbox", "combined_order", "payment_order"), 365),
}
CHANGING = ("state", "prepay_id", "next_check_at", "checks", "transaction_id")


def upgrade() -> None:
    _only_forgets()
    for table in SEALED:
        _forgettable(table)
    for table in TOLD_BY_GATES:
        op.execute(f"DROP TRIGGER {table}_rows_never_change ON {table}")
        op.execute(
            f"CREATE TRIGGER {table}_rows_never_change BEFORE DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        _watched(table, "UPDATE")
        op.create_index(f"ix_{table}_forgotten", table, ["id"], postgresql_where=sa.text("forgotten_at IS NOT NULL"))
    _watched("callback_inbox", "UPDATE")
    _watched("combined_order", "UPDATE OF body, forgotten_at")
    op.create_index(
        "ix_callback_inbox_forgotten", "callback_inbox", ["received_at"],
        postgresql_where=sa.text("forgotten_at IS NOT NULL"),
    )  # fmt: skip
    op.create_index(
        "ix_payment_order_not_forgotten", "payment_order", ["created_at"],
        postgresql_where=sa.text("forgotten_at IS NULL"),
    )  # fmt: skip
    op.create_index(
        "ix_combined_order_not_forgotten", "combined_order", ["created_at"],
        postgresql_where=sa.text("forgotten_at IS NULL"),
    )  # fmt: skip
    op.create_index(
        "ix_vehicle_plate_id_removed", "vehicle", ["plate_id"], postgresql_where=sa.text("removed_at IS NOT NULL")
    )
    _sent_with_its_whole("forgotten_at IS NOT NULL OR (combined_id IS NULL) = (body IS NOT NULL)")
    op.create_check_constraint(
        "an_order_that_may_be_paid_knows_its_payer", "payment_order",
        "forgotten_at IS NULL OR state IN ('closed', 'refused', 'paid')",
    )  # fmt: skip
    _terms_are_fixed(
        """
            IF TG_OP = 'UPDATE' AND OLD.forgotten_at IS NULL AND NEW.forgotten_at IS NOT NULL
               AND to_jsonb(NEW) - ARRAY['payer', 'body', 'forgotten_at']
                   = to_jsonb(OLD) - ARRAY['payer', 'body', 'forgotten_at'] THEN
                RETURN NEW;
            END IF;
        """
    )


def _only_forgets() -> None:
    """For a table whose rows lose the sealed columns named, all at once and once, and change in nothing else."""
    op.execute(
        """
        CREATE FUNCTION only_forgets() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            forgotten text[] := array_append(TG_ARGV::text[], 'forgotten_at');
        BEGIN
            IF OLD.forgotten_at IS NULL AND NEW.forgotten_at IS NOT NULL
               AND to_jsonb(NEW) - forgotten = to_jsonb(OLD) - forgotten THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION '% is append-only', TG_TABLE_NAME
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_TABLE_NAME || '_is_append_only';
        END $$
        """
    )


def _forgettable(table: str) -> None:
    sealed = SEALED[table]
    op.add_column(table, sa.Column("forgotten_at", sa.DateTime(timezone=True), nullable=True))
    op.alter_column(table, ALWAYS_THERE[table], nullable=True)
    op.create_check_constraint(
        f"a_{table}_is_forgotten_whole", table,
        f"CASE WHEN forgotten_at IS NULL THEN {ALWAYS_THERE[table]} IS NOT NULL "
        f"ELSE num_nonnulls({', '.join(sealed)}) = 0 END",
    )  # fmt: skip
    op.create_check_constraint(
        f"a_{table}_is_kept_{KEPT_DAYS[table]}_days", table,
        f"forgotten_at >= {BEGINS[table]} + interval '{KEPT_DAYS[table] * 24} hours'",
    )  # fmt: skip
    grant(f"UPDATE ({', '.join(sealed)}, forgotten_at)", table)


def _watched(table: str, event: str) -> None:
    sealed = ", ".join(f"'{column}'" for column in SEALED[table])
    op.execute(
        f"CREATE TRIGGER {table}_only_forgets BEFORE {event} ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION only_forgets({sealed})"
    )


def _sent_with_its_whole(holds: str) -> None:
    op.drop_constraint("a_sub_order_was_sent_with_its_whole", "payment_order")
    op.create_check_constraint("a_sub_order_was_sent_with_its_whole", "payment_order", holds)


def _terms_are_fixed(but: str) -> None:
    """An order's terms as before, but for what may happen besides."""
    kept = ", ".join(f"'{column}'" for column in CHANGING)
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION payment_order_terms_are_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - ARRAY[{kept}] = to_jsonb(OLD) - ARRAY[{kept}]
               AND (to_jsonb(OLD) ->> 'transaction_id' IS NULL
                    OR to_jsonb(OLD) ->> 'transaction_id' = to_jsonb(NEW) ->> 'transaction_id') THEN
                RETURN NEW;
            END IF;
            {but}
            RAISE EXCEPTION 'the terms of a payment_order are fixed'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'payment_order_terms_are_fixed';
        END $$
        """
    )


def downgrade() -> None:
    """Only where nothing was forgotten: nothing comes back."""
    for table in SEALED:
        op.execute(
            f"""
            DO $$ BEGIN
                IF EXISTS (SELECT FROM {table} WHERE forgotten_at IS NOT NULL) THEN
                    RAISE EXCEPTION 'rows of {table} were forgotten: this step cannot be taken back';
                END IF;
            END $$
            """
        )
    _terms_are_fixed("")
    op.drop_constraint("an_order_that_may_be_paid_knows_its_payer", "payment_order")
    _sent_with_its_whole("(combined_id IS NULL) = (body IS NOT NULL)")
    for table in ("callback_inbox", "combined_order"):
        op.execute(f"DROP TRIGGER {table}_only_forgets ON {table}")
    for table in TOLD_BY_GATES:
        op.execute(f"DROP TRIGGER {table}_only_forgets ON {table}")
        op.execute(f"DROP TRIGGER {table}_rows_never_change ON {table}")
        op.execute(
            f"CREATE TRIGGER {table}_rows_never_change BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    op.execute("DROP FUNCTION only_forgets")
    op.drop_index("ix_vehicle_plate_id_removed", "vehicle")
    for table, sealed in SEALED.items():
        op.execute(f"REVOKE UPDATE ({', '.join(sealed)}) ON {table} FROM app_rw")
        op.drop_constraint(f"a_{table}_is_forgotten_whole", table)
        op.alter_column(table, ALWAYS_THERE[table], nullable=False)
        op.drop_column(table, "forgotten_at")
