"""The audit log is sealed: blocks in a chain, notes of anchors and checks; what moves money writes itself down."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.words import append_only, grant, written_down

revision = "0036"
down_revision = "0035"

TOLD = "at, actor, action, subject, subject_id, detail, request_id"
MONEY = {
    "payee": ("regime", "level", "collecting_unit_code", "item_code", "tax_number"),
    "payee_confirmation": ("payee_id", "confirmed_by", "sample"),
    "merchant_channel": ("payee_id", "sp_mchid", "sub_mchid"),
    "payment": ("order_id", "charge_id", "channel_id", "payee_id", "transaction_id", "paid_fen", "surplus", "paid_at"),
    "refund": ("payment_id", "payee_id", "amount_fen", "reason", "out_refund_no", "asked_by", "decided_by", "state"),
    "journal": ("kind", "business_ref", "payee_id", "event_at", "posted_on", "intent_hash", "reverses_id"),
    "exception_case": ("kind", "severity", "state"),
    "lot_payee": ("lot_id", "unit_id", "payee_id", "valid"),
    "policy_number": ("name", "scope", "scope_id", "value", "valid"),
    "cap_rule": ("scope", "scope_id", "rule", "valid", "set_by"),
    "reference_version": ("reference_id", "version", "approval", "tariff_id", "valid", "state"),
    "lot_price": ("lot_id", "version", "tariff_id", "state", "made_by", "published_by", "effective_from"),
    "waiver_basis": ("document_no", "district_code", "unit_id", "covers", "recorded_by", "approved_by"),
}
MOVING = {
    "refund": "state", "exception_case": "state", "reference_version": "state", "lot_price": "state",
    "lot_payee": "valid", "policy_number": "valid", "cap_rule": "valid", "waiver_basis": "approved_by",
}  # fmt: skip


def upgrade() -> None:
    _only_the_deed_is_told()
    _tables()
    _canon()
    _seal()
    _written_down()
    for table, columns in MONEY.items():
        written_down(table, *columns, moving=MOVING.get(table))


def _only_the_deed_is_told() -> None:
    """Its number and its transaction are the database's own word."""
    op.execute("REVOKE INSERT ON audit_entry FROM app_rw")
    grant(f"INSERT ({TOLD})", "audit_entry")
    op.create_index("ix_audit_entry_transaction_id", "audit_entry", ["transaction_id"])


def _number(name: str, *, identity: bool = False) -> sa.Column:
    return sa.Column(name, sa.BigInteger, *([sa.Identity(always=True)] if identity else []), nullable=False)


def _bytes(name: str) -> sa.Column:
    return sa.Column(name, sa.LargeBinary, nullable=False)


def _moment(name: str) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _tables() -> None:
    op.create_table(
        "audit_block",
        *(_number(name) for name in ("block_no", "from_xid", "below_xid", "first_id", "last_id", "entries", "total")),
        *(_bytes(name) for name in ("leaves", "root", "previous")),
        _moment("sealed_at"),
        _bytes("hash"),
        sa.PrimaryKeyConstraint("block_no", name="pk_audit_block"),
        sa.UniqueConstraint("previous", name="a_block_follows_one_block"),
        sa.CheckConstraint("entries > 0 AND octet_length(leaves) = entries * 40", name="a_block_lists_its_entries"),
        sa.CheckConstraint("from_xid < below_xid AND first_id <= last_id", name="a_block_is_a_stretch"),
        sa.CheckConstraint(
            "octet_length(root) = 32 AND octet_length(previous) = 32 AND octet_length(hash) = 32",
            name="a_block_rests_on_sha256",
        ),
    )
    op.create_table(
        "audit_anchor",
        _number("id", identity=True),
        _number("block_no"),
        sa.Column("place", sa.Text, nullable=False),
        _bytes("digest"),
        _moment("at"),
        sa.PrimaryKeyConstraint("id", name="pk_audit_anchor"),
        sa.ForeignKeyConstraint(["block_no"], ["audit_block.block_no"], name="fk_audit_anchor_block_no"),
        sa.CheckConstraint("octet_length(digest) = 32", name="an_anchor_rests_as_sha256"),
    )
    op.create_table(
        "audit_check",
        _number("id", identity=True),
        _moment("at"),
        *(_number(name) for name in ("blocks", "entries", "faults")),
        sa.Column("found", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_check"),
        sa.CheckConstraint("blocks >= 0 AND entries >= 0 AND faults >= 0", name="a_check_counts_upwards"),
    )
    append_only("audit_block", "audit_anchor", "audit_check")
    op.execute("REVOKE INSERT ON audit_block FROM app_rw")


def _canon() -> None:
    """`app/kernel/canon.py` in the database's words; a test compares the two."""
    op.execute(
        """
        CREATE FUNCTION written_field(a_field text) RETURNS bytea LANGUAGE sql STABLE AS $$
            SELECT int4send(octet_length(convert_to(a_field, 'UTF8'))) || convert_to(a_field, 'UTF8')
        $$;
        CREATE FUNCTION whole_microseconds(a_moment timestamptz) RETURNS bigint LANGUAGE sql STABLE AS $$
            SELECT (extract(epoch FROM a_moment) * 1000000)::bigint
        $$;
        """
    )


def _seal() -> None:
    """The only writer of blocks; it runs as the schema's owner and sees only this schema.

    The lock comes first, and each question below it sees what was committed before it: what another sealer did, and
    every entry of a transaction below the oldest one that still ran when `horizon` was asked.
    """
    op.execute(
        """
        CREATE FUNCTION seal_audit(a_moment timestamptz, at_most bigint) RETURNS bigint LANGUAGE plpgsql
        SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        DECLARE
            horizon bigint;
            below   bigint;
            head    audit_block;
            made    audit_block;
        BEGIN
            PERFORM pg_advisory_xact_lock(680100);
            horizon := txid_snapshot_xmin(txid_current_snapshot());
            SELECT * INTO head FROM audit_block ORDER BY block_no DESC LIMIT 1;
            made.block_no := coalesce(head.block_no, 0) + 1;
            made.from_xid := coalesce(head.below_xid, 0);
            made.previous := coalesce(head.hash, decode(repeat('00', 32), 'hex'));
            made.sealed_at := a_moment;
            IF horizon < made.from_xid THEN
                RAISE EXCEPTION 'transactions of this cluster are numbered anew: % is below %', horizon, made.from_xid
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'transactions_are_numbered_upwards';
            END IF;
            SELECT transaction_id + 1 INTO below FROM audit_entry
            WHERE transaction_id >= made.from_xid AND transaction_id < horizon
            ORDER BY transaction_id OFFSET at_most - 1 LIMIT 1;
            made.below_xid := coalesce(below, horizon);
            SELECT count(*), min(id), max(id), string_agg(int8send(id) || sha256(
                written_field('entry') || written_field(id::text) || written_field(whole_microseconds(at)::text)
                || written_field(actor) || written_field(action) || written_field(subject)
                || written_field(subject_id::text) || written_field(detail::text) || written_field(request_id)
                || written_field(transaction_id::text)
            ), ''::bytea ORDER BY id)
            INTO made.entries, made.first_id, made.last_id, made.leaves FROM audit_entry
            WHERE transaction_id >= made.from_xid AND transaction_id < made.below_xid;
            IF made.entries = 0 THEN
                RETURN 0;
            END IF;
            made.total := coalesce(head.total, 0) + made.entries;
            made.root := sha256(made.leaves);
            made.hash := sha256(
                written_field('block') || written_field(made.block_no::text) || written_field(made.from_xid::text)
                || written_field(made.below_xid::text) || written_field(made.first_id::text)
                || written_field(made.last_id::text) || written_field(made.entries::text)
                || written_field(made.total::text)
                || written_field(encode(made.root, 'hex')) || written_field(encode(made.previous, 'hex'))
                || written_field(whole_microseconds(made.sealed_at)::text)
            );
            INSERT INTO audit_block SELECT (made).*;
            RETURN made.entries;
        END $$
        """
    )
    op.execute("REVOKE ALL ON FUNCTION seal_audit FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION seal_audit TO app_rw")


def _written_down() -> None:
    """Whoever writes on such a table, by whatever way, writes in the log; the moment is the database's own."""
    op.execute(
        """
        CREATE FUNCTION write_down() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE told jsonb := to_jsonb(NEW);
        BEGIN
            INSERT INTO public.audit_entry (at, actor, action, subject, subject_id, detail, request_id)
            SELECT clock_timestamp(), 'database', TG_TABLE_NAME || CASE TG_OP WHEN 'INSERT' THEN '.written' ELSE '.moved' END,
                   TG_TABLE_NAME, NEW.id, jsonb_object_agg(name, told -> name), '' FROM unnest(TG_ARGV) AS name;
            RETURN NULL;
        END $$
        """
    )


def downgrade() -> None:
    for table in MONEY:
        op.execute(f'DROP TRIGGER {table}_is_written_down ON "{table}"')
    for table in MOVING:
        op.execute(f'DROP TRIGGER {table}_move_is_written_down ON "{table}"')
    op.execute("DROP FUNCTION write_down, seal_audit, written_field, whole_microseconds")
    for table in ("audit_check", "audit_anchor", "audit_block"):
        op.drop_table(table)
    op.drop_index("ix_audit_entry_transaction_id", "audit_entry")
    op.execute(f"REVOKE INSERT ({TOLD}) ON audit_entry FROM app_rw")
    grant("INSERT", "audit_entry")
