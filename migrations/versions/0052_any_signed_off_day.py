"""What the bank gave back is due again, and one day that nobody signed off holds no other back."""

import sqlalchemy as sa
from alembic import op

from migrations.words import append_only, graph, written_down

revision = "0052"
down_revision = "0051"

BOUNCE = (("sent", "bounce", "bounced"), ("received", "bounce", "bounced"))
KNOWN = ("draft", "approved", "returned", "withdrawn", "sent", "received")
DEAD, GONE, DECIDED = ("returned", "withdrawn"), ("sent", "received"), ("approved", "returned")


def upgrade() -> None:
    graph("remittance", BOUNCE)
    op.drop_constraint("a_day_is_remitted_once", "remittance_batch")
    op.execute("ALTER TABLE remittance_batch ALTER COLUMN days TYPE datemultirange USING datemultirange(days)")
    _states("bounced")
    _bounces()
    _days()
    _told()
    _moved(
        """ELSIF NEW.state = 'bounced' AND NOT EXISTS (
                SELECT FROM remittance_bounce bounce JOIN journal ON journal.kind = 'remittance_bounce'
                 AND business_ref = 'remittance:' || NEW.key AND journal.payee_id = NEW.payee_id
                JOIN posting ON posting.journal_id = journal.id AND posting.amount_fen = -NEW.amount_fen
                JOIN account ON account.id = posting.account_id AND code = 'due_to_treasury'
                WHERE bounce.batch_id = NEW.id
            ) THEN
                broken := 'a_bounced_batch_has_its_paper_and_is_in_the_books';
            """
    )


def _one_of(*states: str) -> str:
    return f"state IN ({', '.join(repr(each) for each in states)})"


def _states(*more: str) -> None:
    """In these states too a batch is known, has its document, was decided by another person, and is dead."""
    told = {
        ("remittance_batch", "a_batch_is_in_a_known_state"): _one_of(*KNOWN, *more),
        (
            "remittance_batch",
            "what_is_sent_has_its_document",
        ): f"({_one_of(*GONE, *more)}) = (document_number IS NOT NULL)",
        ("remittance_step", "a_batch_is_decided_by_another_person"): f"NOT {_one_of(*DECIDED, *more)} OR by <> made_by",
    }
    for (table, name), holds in told.items():
        op.drop_constraint(name, table)
        op.create_check_constraint(name, table, holds)
    _alive(f"NOT {_one_of(*DEAD, *more)}")


def _alive(holds: str) -> None:
    op.drop_constraint("a_remittance_line_follows_its_batch", "remittance_line")
    op.drop_constraint("a_batch_is_live_or_not", "remittance_batch")
    op.drop_column("remittance_batch", "is_live")
    op.add_column(
        "remittance_batch", sa.Column("is_live", sa.Boolean, sa.Computed(holds, persisted=True), nullable=False)
    )
    key = ["id", "payee_id", "is_live"]
    op.create_unique_constraint("a_batch_is_live_or_not", "remittance_batch", key)
    op.create_foreign_key(
        "a_remittance_line_follows_its_batch", "remittance_line", "remittance_batch", ["batch_id", *key[1:]], key,
        onupdate="CASCADE",
    )  # fmt: skip
    op.create_exclude_constraint(
        "a_day_is_remitted_once", "remittance_batch", ("payee_id", "="), ("days", "&&"), where=sa.text(holds),
        using="gist",
    )  # fmt: skip


def _bounces() -> None:
    op.create_table(
        "remittance_bounce",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("batch_id", "payee_id", "amount_fen")),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("returned_on", sa.Date, nullable=False),
        sa.Column("file_id", sa.BigInteger, sa.ForeignKey("stored_file.id"), nullable=False),
        sa.Column("recorded_by", sa.Text, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id", "payee_id", "amount_fen"],
            [f"remittance_batch.{name}" for name in ("id", "payee_id", "amount_fen")],
            name="a_bank_gives_back_what_was_sent",
        ),
        sa.UniqueConstraint("batch_id", name="a_batch_bounces_once"),
        sa.UniqueConstraint("number", name="a_banks_return_is_of_one_batch"),
        sa.CheckConstraint("number <> ''", name="a_banks_return_has_its_number"),
    )
    append_only("remittance_bounce")
    written_down("remittance_bounce", "batch_id", "amount_fen", "number", "returned_on", "recorded_by")


def _days() -> None:
    """Days that every merchant of a payee has signed off; those of them that may be remitted; what is due of days."""
    op.execute(
        """
        CREATE FUNCTION signed_off_days(a_payee bigint) RETURNS datemultirange LANGUAGE sql STABLE AS $$
            WITH channel AS (
                SELECT id, (opened_at AT TIME ZONE 'Asia/Shanghai')::date AS opened
                FROM merchant_channel WHERE payee_id = a_payee
            ), told AS (
                SELECT id, daterange((SELECT min(opened) FROM channel), opened) AS span FROM channel
                UNION ALL
                SELECT channel_id, daterange(day, day + 1)
                FROM day_sign_off WHERE channel_id IN (SELECT id FROM channel)
            )
            SELECT range_intersect_agg(days) FROM (SELECT range_agg(span) AS days FROM told GROUP BY id) AS each
        $$;
        CREATE FUNCTION remittable_days(a_payee bigint) RETURNS datemultirange LANGUAGE sql STABLE AS $$
            SELECT signed_off_days(a_payee)
                * datemultirange(daterange(NULL, (
                    SELECT min(posted_on) FROM journal
                    WHERE posted_on > coalesce((SELECT max(day) FROM accounting_day), '-infinity')
                )))
                - coalesce((
                    SELECT range_agg(days) FROM remittance_batch WHERE payee_id = a_payee AND is_live
                ), '{}'::datemultirange)
        $$;
        CREATE FUNCTION due_on(a_payee bigint, of_days datemultirange)
        RETURNS TABLE (posting_id bigint, posted_on date, fen bigint) LANGUAGE sql STABLE AS $$
            SELECT posting.id, journal.posted_on, -posting.amount_fen
            FROM journal JOIN posting ON posting.journal_id = journal.id
            JOIN account ON account.id = posting.account_id AND account.code = 'due_to_treasury'
            WHERE journal.payee_id = a_payee AND journal.kind NOT IN ('remittance', 'remittance_bounce')
              AND journal.posted_on BETWEEN lower(of_days) AND upper(of_days) - 1 AND of_days @> journal.posted_on
        $$
        """
    )


def _told() -> None:
    """Looked at when the transaction ends: a batch is its lines, of signed-off and closed days, and leaves none out."""
    op.execute(
        """
        CREATE OR REPLACE FUNCTION a_batch_is_what_its_lines_say() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            through date := upper(NEW.days) - 1;
            told    record;
            asked   datemultirange := NEW.days
                + remittable_days(NEW.payee_id) * datemultirange(daterange(NULL, through, '(]'));
            broken  text;
        BEGIN
            SELECT count(*) AS lines, coalesce(sum(line.amount_fen), 0) AS fen, count(due.posting_id) AS due
            INTO told
            FROM remittance_line line LEFT JOIN due_on(NEW.payee_id, NEW.days) due
                ON (due.posting_id, due.posted_on, due.fen) = (line.posting_id, line.posted_on, line.amount_fen)
            WHERE line.batch_id = NEW.id;
            IF (told.lines, told.fen, told.due) IS DISTINCT FROM (NEW.lines, NEW.amount_fen::numeric, NEW.lines) THEN
                broken := 'a_batch_sums_what_is_due';
            ELSIF NOT coalesce(NEW.days <@ signed_off_days(NEW.payee_id), false) THEN
                broken := 'a_batch_is_of_signed_off_days';
            ELSIF EXISTS (
                SELECT FROM journal WHERE posted_on <= through
                AND posted_on > coalesce((SELECT max(day) FROM accounting_day), '-infinity')
            ) THEN
                broken := 'a_batch_is_of_closed_days';
            ELSIF EXISTS (
                SELECT FROM due_on(NEW.payee_id, asked) due WHERE NOT EXISTS (
                    SELECT FROM remittance_line line WHERE line.posting_id = due.posting_id AND line.is_live
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


def _moved(also: str) -> None:
    """Looked at when the transaction ends: each state has who and why, what is sent its journal, then its receipt."""
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION a_batch_moves_with_its_papers() RETURNS trigger LANGUAGE plpgsql AS $$
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
            {also}END IF;
            IF broken IS NOT NULL THEN
                RAISE EXCEPTION 'batch % is %: %', NEW.id, NEW.state, broken
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = broken;
            END IF;
            RETURN NULL;
        END $$
        """
    )


def downgrade() -> None:
    """Only where the bank gave nothing back and days were remitted in order: nothing is forgotten."""
    op.execute(
        """
        DO $$ BEGIN
            IF EXISTS (SELECT FROM remittance_bounce) THEN
                RAISE EXCEPTION 'the bank gave batches back: this step cannot be taken back';
            END IF;
        END $$
        """
    )
    op.drop_table("remittance_bounce")
    _moved("")
    op.execute(_BY_RANGE)
    op.execute("DROP FUNCTION remittable_days, signed_off_days, due_on")
    op.drop_constraint("a_day_is_remitted_once", "remittance_batch")
    op.execute("ALTER TABLE remittance_batch ALTER COLUMN days TYPE daterange USING range_merge(days)")
    _states()
    for source, event, target in BOUNCE:
        op.execute(
            "DELETE FROM state_transition WHERE machine = 'remittance' AND (from_state, event, to_state) = "
            f"('{source}', '{event}', '{target}')"
        )


_BY_RANGE = """
        CREATE OR REPLACE FUNCTION a_batch_is_what_its_lines_say() RETURNS trigger LANGUAGE plpgsql AS $$
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
