"""WeChat's daily bills: which are due, each answer, and the lines of each file."""

import sqlalchemy as sa
from alembic import op

from migrations.words import append_only, grant

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    _days()
    _bills()
    _trade_lines()
    _fund_lines()
    append_only("bill_file", "bill_line", "fund_line")
    op.execute("GRANT USAGE ON SEQUENCE bill_file_id_seq TO app_rw")
    _written_at_once()
    _counted()


def _number(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Text, nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _days() -> None:
    op.create_table(
        "bill_day",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("key", sa.Uuid, nullable=False),
        _number("channel_id"),
        _number("payee_id"),
        _text("kind"),
        sa.Column("day", sa.Date, nullable=False),
        _moment("next_check_at", nullable=True),
        _number("tries"),
        sa.UniqueConstraint("key", name="uq_bill_day_key"),
        sa.UniqueConstraint("channel_id", "kind", "day", name="a_merchants_day_has_one_bill_of_a_kind"),
        sa.UniqueConstraint("id", "kind", name="a_bill_day_is_of_one_kind"),
        sa.ForeignKeyConstraint(
            ["channel_id", "payee_id"],
            ["merchant_channel.id", "merchant_channel.payee_id"],
            name="a_bill_day_is_of_its_payees_channel",
        ),
        sa.CheckConstraint("kind IN ('trade', 'fund_flow')", name="a_bill_is_of_a_known_kind"),
    )
    due = sa.text("next_check_at IS NOT NULL")
    op.create_index("ix_bill_day_next_check_at", "bill_day", ["next_check_at"], postgresql_where=due)
    grant("SELECT, INSERT, UPDATE (next_check_at, tries)", "bill_day")


def _bills() -> None:
    op.create_table(
        "bill_file",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        _number("day_id"),
        _text("kind"),
        _number("version"),
        _text("state"),
        _text("code", nullable=True),
        _number("at_line", nullable=True),
        _text("sha1", nullable=True),
        sa.Column("sha256", sa.LargeBinary, nullable=True),
        *(_number(name) for name in ("lines", "paid_fen", "refunded_fen", "fee_fen")),
        _moment("fetched_at"),
        sa.Column("transaction_id", sa.BigInteger, nullable=False, server_default=sa.text("txid_current()")),
        sa.UniqueConstraint("day_id", "version", name="a_bill_has_one_text_a_version"),
        sa.UniqueConstraint("id", "kind", name="a_bill_keeps_its_kind"),
        sa.ForeignKeyConstraint(["day_id", "kind"], ["bill_day.id", "bill_day.kind"], name="a_bill_is_of_its_day"),
        sa.CheckConstraint("state IN ('loaded', 'empty', 'refused')", name="a_bill_is_in_a_known_state"),
        sa.CheckConstraint("(state = 'refused') = (code IS NOT NULL)", name="a_refused_bill_says_why"),
        sa.CheckConstraint(
            "(state = 'loaded') = (sha256 IS NOT NULL) AND (state = 'empty') = (sha1 IS NULL)",
            name="a_loaded_bill_has_its_hashes",
        ),
        sa.CheckConstraint(
            "state = 'loaded' OR lines = 0 AND paid_fen = 0 AND refunded_fen = 0 AND fee_fen = 0",
            name="only_a_loaded_bill_has_lines",
        ),
    )
    op.create_index("ix_bill_file_day_id", "bill_file", ["day_id"])


def _trade_lines() -> None:
    op.create_table(
        "bill_line",
        _number("bill_id"),
        _number("number"),
        _moment("at"),
        *(_text(name) for name in ("kind", "transaction_id", "out_trade_no", "refund_id", "out_refund_no")),
        *(_number(name) for name in ("amount_fen", "settled_fen", "fee_fen", "rate_ppm")),
        _text("status"),
        _text("currency"),
        sa.PrimaryKeyConstraint("bill_id", "number", name="pk_bill_line"),
        sa.CheckConstraint("kind IN ('SUCCESS', 'REFUND', 'REVOKED')", name="a_line_is_of_a_known_kind"),
        sa.CheckConstraint("(kind = 'REFUND') = (refund_id <> '')", name="a_refunds_line_names_the_refund"),
    )
    once = ["transaction_id", "refund_id", "bill_id"]
    op.create_index("a_line_stands_once_in_a_bill", "bill_line", once, unique=True)


def _fund_lines() -> None:
    op.create_table(
        "fund_line",
        _number("bill_id"),
        _number("number"),
        _moment("at"),
        *(_text(name) for name in ("business_id", "flow_id", "kind")),
        *(_number(name) for name in ("amount_fen", "balance_fen")),
        _text("voucher"),
        sa.PrimaryKeyConstraint("bill_id", "number", name="pk_fund_line"),
        sa.UniqueConstraint("flow_id", "bill_id", name="a_flow_stands_once_in_a_bill"),
    )
    op.create_index("ix_fund_line_business_id", "fund_line", ["business_id"])


def _written_at_once() -> None:
    """A bill's lines come in its own transaction, looked at once a statement: a million rows have no time for more."""
    op.execute(
        """
        CREATE FUNCTION a_bill_is_written_at_once() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (SELECT 1 FROM bill_file WHERE transaction_id <> txid_current()
                       AND id IN (SELECT DISTINCT bill_id FROM added)) THEN
                RAISE EXCEPTION 'a bill gets no further lines'
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_bill_is_written_at_once';
            END IF;
            RETURN NULL;
        END $$
        """
    )
    for table in ("bill_line", "fund_line"):
        op.execute(
            f"CREATE TRIGGER {table}_is_written_at_once AFTER INSERT ON {table} REFERENCING NEW TABLE AS added "
            "FOR EACH STATEMENT EXECUTE FUNCTION a_bill_is_written_at_once()"
        )


def _counted() -> None:
    """What a bill says of itself is what its lines come to, looked at when the transaction ends."""
    op.execute(
        """
        CREATE FUNCTION a_bill_is_what_its_lines_say() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            counted record;
        BEGIN
            IF NEW.kind = 'trade' THEN
                SELECT count(*) AS lines, coalesce(sum(amount_fen) FILTER (WHERE kind <> 'REFUND'), 0) AS paid,
                       coalesce(-sum(amount_fen) FILTER (WHERE kind = 'REFUND'), 0) AS refunded,
                       coalesce(sum(fee_fen), 0) AS fee
                INTO counted FROM bill_line WHERE bill_id = NEW.id;
            ELSE
                SELECT count(*) AS lines, coalesce(sum(amount_fen) FILTER (WHERE amount_fen > 0), 0) AS paid,
                       coalesce(-sum(amount_fen) FILTER (WHERE amount_fen < 0), 0) AS refunded, 0::numeric AS fee
                INTO counted FROM fund_line WHERE bill_id = NEW.id;
            END IF;
            IF (counted.lines, counted.paid, counted.refunded, counted.fee)
               IS DISTINCT FROM (NEW.lines, NEW.paid_fen, NEW.refunded_fen, NEW.fee_fen) THEN
                RAISE EXCEPTION 'bill % says other sums than its lines', NEW.id
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_bill_is_what_its_lines_say';
            END IF;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        "CREATE CONSTRAINT TRIGGER a_bill_is_what_its_lines_say AFTER INSERT ON bill_file DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION a_bill_is_what_its_lines_say()"
    )


def downgrade() -> None:
    for table in ("fund_line", "bill_line", "bill_file", "bill_day"):
        op.drop_table(table)
    op.execute("DROP FUNCTION a_bill_is_what_its_lines_say, a_bill_is_written_at_once")
