"""Remittances: what is due to a treasury leaves in batches, each posting once, by two persons, and is receipted."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.words import append_only, follows_graph, forget_graph, grant, graph, written_down

revision = "0046"
down_revision = "0045"

REMITTANCE = (
    ("", "born", "draft"),
    ("draft", "approve", "approved"),
    ("draft", "return", "returned"),
    ("draft", "withdraw", "withdrawn"),
    ("approved", "send", "sent"),
    ("sent", "receive", "received"),
)
TARGET = ("payee_id", "regime", "level", "collecting_unit_code", "item_code", "treasury_target")
LIVE = "state NOT IN ('returned', 'withdrawn')"


def upgrade() -> None:
    op.create_unique_constraint("a_payee_has_one_treasury_target", "payee", ["id", *TARGET[1:]])
    op.create_unique_constraint("a_bank_line_moves_one_sum", "bank_line", ["statement_id", "number", "amount_fen"])
    op.create_unique_constraint("a_statement_is_one_payees", "bank_statement", ["id", "payee_id"])
    _batches()
    _lines()
    _steps()
    _receipts()
    graph("remittance", REMITTANCE)
    follows_graph("remittance_batch", "remittance")
    _signed_off()
    _made_at_once()
    _told()
    _moved()
    written_down(
        "remittance_batch", "payee_id", "days", "lines", "amount_fen", "made_by", "document_number", "state",
        moving="state",
    )  # fmt: skip
    written_down("remittance_step", "batch_id", "state", "by", "because")
    written_down("remittance_receipt", "batch_id", "amount_fen", "statement_id", "line", "number", "recorded_by")


def _number(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Text, nullable=nullable)


def _moment(name: str) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _id() -> sa.Column:
    return sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True)


def _batches() -> None:
    op.create_table(
        "remittance_batch",
        _id(),
        sa.Column("key", sa.Uuid, nullable=False),
        _number("payee_id"),
        *(_text(name) for name in TARGET[1:]),
        sa.Column("days", postgresql.DATERANGE, nullable=False),
        _number("lines"),
        _number("amount_fen"),
        _text("made_by"),
        _moment("made_at"),
        _text("document_number", nullable=True),
        _text("state"),
        sa.Column("is_live", sa.Boolean, sa.Computed(LIVE, persisted=True), nullable=False),
        sa.Column("transaction_id", sa.BigInteger, nullable=False, server_default=sa.text("txid_current()")),
        sa.UniqueConstraint("key", name="uq_remittance_batch_key"),
        sa.UniqueConstraint("id", "payee_id", "is_live", name="a_batch_is_live_or_not"),
        sa.UniqueConstraint("id", "made_by", name="a_batch_is_somebodys"),
        sa.UniqueConstraint("id", "payee_id", "amount_fen", name="a_batch_is_one_sum_of_one_payee"),
        sa.UniqueConstraint("document_number", name="a_document_pays_one_batch_in"),
        sa.ForeignKeyConstraint(
            list(TARGET), ["payee.id", *(f"payee.{name}" for name in TARGET[1:])], name="a_batch_has_one_target"
        ),
        postgresql.ExcludeConstraint(
            (sa.column("payee_id"), "="),
            (sa.column("days"), "&&"),
            where=sa.text(LIVE),
            using="gist",
            name="a_day_is_remitted_once",
        ),
        sa.CheckConstraint("regime = 'TREASURY'", name="only_a_treasury_payee_remits"),
        sa.CheckConstraint("amount_fen > 0 AND lines > 0", name="a_batch_pays_something_in"),
        sa.CheckConstraint(
            "NOT isempty(days) AND NOT lower_inf(days) AND NOT upper_inf(days)", name="a_batch_is_of_some_days"
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'approved', 'returned', 'withdrawn', 'sent', 'received')",
            name="a_batch_is_in_a_known_state",
        ),
        sa.CheckConstraint(
            "(state IN ('sent', 'received')) = (document_number IS NOT NULL)", name="what_is_sent_has_its_document"
        ),
        sa.CheckConstraint("document_number ~ '^[0-9A-Z-]{6,32}$'", name="a_document_number_reads_like_one"),
    )
    once = sa.text("state IN ('draft', 'approved')")
    op.create_index(
        "a_payee_has_one_batch_under_way", "remittance_batch", ["payee_id"], unique=True, postgresql_where=once
    )
    grant("SELECT, INSERT, UPDATE (state, document_number)", "remittance_batch")
    _fixed("remittance_batch", ("state", "document_number", "is_live"))


def _lines() -> None:
    op.create_table(
        "remittance_line",
        _number("batch_id"),
        sa.Column("posting_id", sa.BigInteger, sa.ForeignKey("posting.id"), nullable=False),
        _number("payee_id"),
        sa.Column("posted_on", sa.Date, nullable=False),
        _number("amount_fen"),
        sa.Column("is_live", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("batch_id", "posting_id", name="pk_remittance_line"),
        sa.ForeignKeyConstraint(
            ["batch_id", "payee_id", "is_live"],
            ["remittance_batch.id", "remittance_batch.payee_id", "remittance_batch.is_live"],
            name="a_remittance_line_follows_its_batch",
            onupdate="CASCADE",
        ),
        sa.CheckConstraint("amount_fen <> 0", name="a_remittance_line_is_for_money"),
    )
    op.create_index(
        "a_posting_is_remitted_once", "remittance_line", ["posting_id"], unique=True,
        postgresql_where=sa.text("is_live"),
    )  # fmt: skip
    grant("SELECT, INSERT", "remittance_line")
    _fixed("remittance_line", ("is_live",))


def _steps() -> None:
    op.create_table(
        "remittance_step",
        _id(),
        _number("batch_id"),
        _text("state"),
        _text("made_by"),
        _text("by"),
        _moment("at"),
        _text("because"),
        sa.UniqueConstraint("batch_id", "state", name="a_batch_is_in_a_state_once"),
        sa.ForeignKeyConstraint(
            ["batch_id", "made_by"], ["remittance_batch.id", "remittance_batch.made_by"], name="a_step_is_of_its_batch"
        ),
        sa.CheckConstraint(
            "state NOT IN ('approved', 'returned') OR by <> made_by", name="a_batch_is_decided_by_another_person"
        ),
        sa.CheckConstraint("by <> '' AND because <> ''", name="a_step_says_who_and_why"),
    )
    append_only("remittance_step")


def _receipts() -> None:
    op.create_table(
        "remittance_receipt",
        _id(),
        _number("batch_id"),
        _number("payee_id"),
        _number("amount_fen"),
        _number("statement_id", nullable=True),
        _number("line", nullable=True),
        sa.Column(
            "left_fen", sa.BigInteger,
            sa.Computed("CASE WHEN statement_id IS NOT NULL THEN -amount_fen END", persisted=True),
        ),
        _text("number", nullable=True),
        sa.Column("received_on", sa.Date, nullable=False),
        _text("recorded_by"),
        _moment("recorded_at"),
        sa.ForeignKeyConstraint(
            ["batch_id", "payee_id", "amount_fen"],
            [f"remittance_batch.{name}" for name in ("id", "payee_id", "amount_fen")],
            name="a_treasury_receives_what_was_sent",
        ),
        sa.ForeignKeyConstraint(
            ["statement_id", "line", "left_fen"],
            [f"bank_line.{name}" for name in ("statement_id", "number", "amount_fen")],
            name="a_remittance_left_by_a_line_of_the_bank",
        ),
        sa.ForeignKeyConstraint(
            ["statement_id", "payee_id"], ["bank_statement.id", "bank_statement.payee_id"],
            name="a_remittance_left_its_own_payees_bank",
        ),
        sa.UniqueConstraint("batch_id", name="a_batch_is_received_once"),
        sa.UniqueConstraint("statement_id", "line", name="a_bank_line_is_one_remittance"),
        sa.UniqueConstraint("number", name="a_treasurys_receipt_is_for_one_batch"),
        sa.CheckConstraint(
            "(statement_id IS NULL) = (line IS NULL) AND (statement_id IS NULL) = (number IS NOT NULL)",
            name="a_receipt_is_the_banks_or_the_treasurys",
        ),
        sa.CheckConstraint("number <> ''", name="a_treasurys_receipt_has_its_number"),
    )  # fmt: skip
    append_only("remittance_receipt")


def _fixed(table: str, changing: tuple[str, ...]) -> None:
    """Of a row only these columns change, whoever writes, and it is never removed."""
    kept = ", ".join(f"'{column}'" for column in changing)
    op.execute(
        f"""
        CREATE FUNCTION {table}_says_the_same() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - ARRAY[{kept}] = to_jsonb(OLD) - ARRAY[{kept}] THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'what a {table} says is fixed'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = '{table}_says_the_same';
        END $$;
        CREATE TRIGGER {table}_says_the_same BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION {table}_says_the_same();
        """
    )


def _signed_off() -> None:
    """The last day up to which each merchant of a payee has every day signed off, without a hole."""
    op.execute(
        """
        CREATE FUNCTION signed_off_through(a_payee bigint) RETURNS date LANGUAGE sql STABLE AS $$
            SELECT min(coalesce(days.first_open - 1, days.last_signed,
                                (channel.opened_at AT TIME ZONE 'Asia/Shanghai')::date - 1))
            FROM merchant_channel channel
            CROSS JOIN LATERAL (
                SELECT min(due.day) FILTER (WHERE signed.id IS NULL) AS first_open, max(signed.day) AS last_signed
                FROM bill_day due LEFT JOIN day_sign_off signed USING (channel_id, day)
                WHERE due.channel_id = channel.id
            ) AS days
            WHERE channel.payee_id = a_payee
        $$
        """
    )


def _made_at_once() -> None:
    """A batch's lines come in its own transaction, looked at once a statement."""
    op.execute(
        """
        CREATE FUNCTION a_batch_is_made_at_once() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (SELECT FROM remittance_batch WHERE transaction_id <> txid_current()
                       AND id IN (SELECT DISTINCT batch_id FROM added)) THEN
                RAISE EXCEPTION 'a batch gets no further lines'
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_batch_is_made_at_once';
            END IF;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER a_batch_is_made_at_once AFTER INSERT ON remittance_line REFERENCING NEW TABLE AS added "
        "FOR EACH STATEMENT EXECUTE FUNCTION a_batch_is_made_at_once()"
    )


def _told() -> None:
    """Looked at when the transaction ends: a batch is its lines, of signed-off and closed days, and leaves none out.

    Days before the first one of a batch were remitted by the batch that ends there, or had nothing due.
    """
    op.execute(
        """
        CREATE FUNCTION a_batch_is_what_its_lines_say() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            told    record;
            through date := upper(NEW.days) - 1;
            broken  text;
        BEGIN
            SELECT count(*) AS lines, coalesce(sum(line.amount_fen), 0) AS fen, count(*) FILTER (
                WHERE account.code = 'due_to_treasury' AND journal.kind <> 'remittance'
                  AND posting.payee_id = NEW.payee_id AND posting.amount_fen = -line.amount_fen
                  AND journal.posted_on = line.posted_on AND NEW.days @> line.posted_on
            ) AS due
            INTO told
            FROM remittance_line line JOIN posting ON posting.id = line.posting_id
            JOIN journal ON journal.id = posting.journal_id JOIN account ON account.id = posting.account_id
            WHERE line.batch_id = NEW.id;
            IF (told.lines, told.fen, told.due) IS DISTINCT FROM (NEW.lines, NEW.amount_fen::numeric, NEW.lines) THEN
                broken := 'a_batch_sums_what_is_due';
            ELSIF through > coalesce(signed_off_through(NEW.payee_id), '-infinity') THEN
                broken := 'a_batch_is_of_signed_off_days';
            ELSIF EXISTS (
                SELECT FROM journal WHERE posted_on <= through
                AND posted_on > coalesce((SELECT max(day) FROM accounting_day), '-infinity')
            ) THEN
                broken := 'a_batch_is_of_closed_days';
            ELSIF EXISTS (
                SELECT FROM journal JOIN posting ON posting.journal_id = journal.id
                JOIN account ON account.id = posting.account_id
                WHERE journal.payee_id = NEW.payee_id AND account.code = 'due_to_treasury'
                  AND journal.kind <> 'remittance' AND journal.posted_on <= through
                  AND journal.posted_on >= CASE WHEN EXISTS (
                      SELECT FROM remittance_batch former WHERE former.payee_id = NEW.payee_id AND former.is_live
                      AND upper(former.days) = lower(NEW.days)
                  ) THEN lower(NEW.days) ELSE '-infinity' END
                  AND NOT EXISTS (
                      SELECT FROM remittance_line line WHERE line.posting_id = posting.id AND line.is_live
                  )
            ) THEN
                broken := 'a_batch_leaves_nothing_behind';
            END IF;
            IF broken IS NOT NULL THEN
                RAISE EXCEPTION 'batch % of payee %: %', NEW.id, NEW.payee_id, broken
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = broken;
            END IF;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        "CREATE CONSTRAINT TRIGGER a_batch_is_what_its_lines_say AFTER INSERT ON remittance_batch "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION a_batch_is_what_its_lines_say()"
    )


def _moved() -> None:
    """Looked at when the transaction ends: each state has who and why, what is sent its journal, then its receipt."""
    op.execute(
        """
        CREATE FUNCTION a_batch_moves_with_its_papers() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            broken text;
        BEGIN
            IF NOT EXISTS (SELECT FROM remittance_step WHERE batch_id = NEW.id AND state = NEW.state) THEN
                broken := 'a_batch_tells_each_step';
            ELSIF NEW.state = 'sent' AND NOT EXISTS (
                SELECT FROM journal JOIN posting ON posting.journal_id = journal.id
                JOIN account ON account.id = posting.account_id
                WHERE journal.kind = 'remittance' AND business_ref = 'remittance:' || NEW.key
                  AND journal.payee_id = NEW.payee_id AND code = 'due_to_treasury'
                  AND posting.amount_fen = NEW.amount_fen
            ) THEN
                broken := 'a_sent_batch_is_in_the_books';
            ELSIF NEW.state = 'received' AND NOT EXISTS (
                SELECT FROM remittance_receipt WHERE batch_id = NEW.id
            ) THEN
                broken := 'a_received_batch_has_its_receipt';
            END IF;
            IF broken IS NOT NULL THEN
                RAISE EXCEPTION 'batch % is %: %', NEW.id, NEW.state, broken
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = broken;
            END IF;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        "CREATE CONSTRAINT TRIGGER a_batch_moves_with_its_papers AFTER INSERT OR UPDATE OF state ON remittance_batch "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION a_batch_moves_with_its_papers()"
    )


def downgrade() -> None:
    forget_graph("remittance")
    for table in ("remittance_receipt", "remittance_step", "remittance_line", "remittance_batch"):
        op.drop_table(table)
    op.execute(
        "DROP FUNCTION signed_off_through, a_batch_is_made_at_once, a_batch_is_what_its_lines_say, "
        "a_batch_moves_with_its_papers, remittance_batch_says_the_same, remittance_line_says_the_same"
    )
    op.drop_constraint("a_statement_is_one_payees", "bank_statement")
    op.drop_constraint("a_bank_line_moves_one_sum", "bank_line")
    op.drop_constraint("a_payee_has_one_treasury_target", "payee")
