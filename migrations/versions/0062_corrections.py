"""A journal that is not what happened is reversed by two persons; what stands for it was agreed by them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.words import grant, written_down

revision = "0062"
down_revision = "0061"

DECISION = "'state', 'decided_by', 'decided_at', 'decided_because'"
COUNTED = "counted_kind(journal)"
LET_GO = {
    "difference": ("key", "'cleared', 'gone'", ("difference",)),
    "refund": ("out_refund_no", "'rejected', 'closed'", ("refund_request", "refund_abnormal")),
}
"""Of what may be let go: the column that the books name it by, the states, the kinds that are taken back."""


def upgrade() -> None:
    _corrections()
    grant("SELECT, INSERT, UPDATE (state, decided_by, decided_at, decided_because)", "correction")
    _decided_once()
    _posted()
    _agreed()
    _let_go()
    _counted()
    _derived(COUNTED)
    _due(COUNTED)
    written_down("correction", "journal_id", "payee_id", "state", "made_by", "decided_by", moving="state")


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _corrections() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "correction",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid, nullable=False),
        sa.Column("journal_id", sa.BigInteger, nullable=False), sa.Column("payee_id", sa.BigInteger, nullable=False),
        sa.Column("instead_payee_id", sa.BigInteger, sa.ForeignKey("payee.id", name="fk_correction_instead_payee_id")),
        sa.Column("instead", JSONB), _text("because"), _text("made_by"), sa.Column("made_at", moment, nullable=False), _text("state"),
        _text("decided_by", nullable=True), sa.Column("decided_at", moment, nullable=True),
        _text("decided_because", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_correction"),
        sa.UniqueConstraint("key", name="uq_correction_key"),
        sa.ForeignKeyConstraint(
            ["journal_id", "payee_id"], ["journal.id", "journal.payee_id"], name="a_correction_is_of_one_payees_journal"
        ),
        sa.CheckConstraint("state IN ('waiting', 'accepted', 'rejected')", name="a_correction_is_in_a_known_state"),
        sa.CheckConstraint("decided_by <> made_by", name="a_correction_is_decided_by_another_person"),
        sa.CheckConstraint(
            "num_nonnulls(decided_by, decided_at, decided_because) = CASE state WHEN 'waiting' THEN 0 ELSE 3 END",
            name="a_decided_correction_says_how_and_why",
        ),
        sa.CheckConstraint(
            "(instead IS NULL) = (instead_payee_id IS NULL)", name="what_stands_instead_has_its_payee"
        ),
        sa.CheckConstraint("because <> '' AND decided_because <> ''", name="a_correction_says_something"),
    )  # fmt: skip
    live = sa.text("state <> 'rejected'")
    op.create_index("a_journal_is_corrected_once", "correction", ["journal_id"], unique=True, postgresql_where=live)


def _decided_once() -> None:
    op.execute(
        f"""
        CREATE FUNCTION a_correction_is_decided_once() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' OR OLD.state <> 'waiting'
               OR to_jsonb(NEW) - ARRAY[{DECISION}] <> to_jsonb(OLD) - ARRAY[{DECISION}] THEN
                RAISE EXCEPTION 'a correction is decided once and never rewritten'
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_correction_is_decided_once';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER a_correction_is_decided_once BEFORE UPDATE OR DELETE ON correction
            FOR EACH ROW EXECUTE FUNCTION a_correction_is_decided_once();
        """
    )


def _posted() -> None:
    op.execute(
        """
        CREATE FUNCTION an_accepted_correction_is_posted() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (SELECT FROM journal WHERE kind = 'reversal' AND reverses_id = NEW.journal_id)
               OR NEW.instead IS NOT NULL AND NOT EXISTS (
                   SELECT FROM journal wrong JOIN journal stands
                   ON (stands.kind, stands.business_ref) = ('correction', wrong.kind || '/' || wrong.business_ref)
                   WHERE wrong.id = NEW.journal_id
               ) THEN
                RAISE EXCEPTION 'journal % is not reversed, or nothing stands in its place', NEW.journal_id
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'an_accepted_correction_is_posted';
            END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER an_accepted_correction_is_posted AFTER INSERT OR UPDATE ON correction
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.state = 'accepted')
            EXECUTE FUNCTION an_accepted_correction_is_posted();
        """
    )


def _agreed() -> None:
    """Looked at for this kind alone: other journals cost nothing more."""
    op.execute(
        """
        CREATE FUNCTION what_stands_for_a_journal_was_agreed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (
                SELECT FROM correction JOIN journal wrong ON wrong.id = correction.journal_id
                WHERE correction.state = 'accepted' AND wrong.kind || '/' || wrong.business_ref = NEW.business_ref
                  AND correction.instead_payee_id = NEW.payee_id AND correction.instead = (
                      SELECT jsonb_object_agg(code, fen) FROM (
                          SELECT code, sum(amount_fen) AS fen
                          FROM posting JOIN account ON account.id = posting.account_id
                          WHERE posting.journal_id = NEW.id GROUP BY code
                      ) AS moved
                  )
            ) THEN
                RAISE EXCEPTION 'nobody agreed to correct %', NEW.business_ref
                    USING ERRCODE = 'integrity_constraint_violation',
                          CONSTRAINT = 'what_stands_for_a_journal_was_agreed';
            END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER what_stands_for_a_journal_was_agreed AFTER INSERT ON journal
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.kind = 'correction')
            EXECUTE FUNCTION what_stands_for_a_journal_was_agreed();
        """
    )


def _let_go() -> None:
    """What is let go stands in the books no more: neither its own journals nor what two persons posted instead."""
    op.execute(
        """
        CREATE FUNCTION what_is_let_go_is_taken_back() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            named text := TG_TABLE_NAME || ':' || (to_jsonb(NEW) ->> TG_ARGV[0]);
        BEGIN
            IF EXISTS (
                SELECT FROM unnest(TG_ARGV[1:]) AS let_go(kind)
                JOIN journal ON (journal.kind, business_ref) IN (
                    (let_go.kind, named), ('correction', let_go.kind || '/' || named)
                )
                WHERE NOT EXISTS (SELECT FROM journal back WHERE back.reverses_id = journal.id)
            ) THEN
                RAISE EXCEPTION '% is % and stands in the books', named, NEW.state
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'what_is_let_go_is_taken_back';
            END IF;
            RETURN NULL;
        END $$
        """
    )
    for table, (column, states, kinds) in LET_GO.items():
        op.execute(
            f"CREATE CONSTRAINT TRIGGER a_{table}_that_is_let_go_is_taken_back AFTER UPDATE OF state ON {table} "
            f"DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.state IN ({states})) "
            f"EXECUTE FUNCTION what_is_let_go_is_taken_back({', '.join([column, *kinds])})"
        )


def _counted() -> None:
    """What mends a journal counts as one of its kind: together they come to what happened."""
    op.execute(
        """
        CREATE FUNCTION counted_kind(entered journal) RETURNS text LANGUAGE sql STABLE AS $$
            SELECT CASE entered.kind
                WHEN 'correction' THEN split_part(entered.business_ref, '/', 1)
                WHEN 'reversal' THEN coalesce((
                    SELECT wrong.kind FROM correction JOIN journal wrong ON wrong.id = correction.journal_id
                    WHERE correction.journal_id = entered.reverses_id AND correction.state = 'accepted'
                ), 'reversal')
                ELSE entered.kind END
        $$
        """
    )


def _derived(kind: str) -> None:
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION derive_day(a_day date) RETURNS void LANGUAGE sql AS $$
            INSERT INTO turnover_daily (day, account_id, kind, debit_fen, credit_fen, postings)
            SELECT a_day, posting.account_id, {kind},
                   coalesce(sum(amount_fen) FILTER (WHERE amount_fen > 0), 0),
                   coalesce(-sum(amount_fen) FILTER (WHERE amount_fen < 0), 0), count(*)
            FROM journal JOIN posting ON posting.journal_id = journal.id
            WHERE journal.posted_on = a_day GROUP BY posting.account_id, 3;
            INSERT INTO balance_daily (account_id, day, closing_fen)
            SELECT moved.account_id, a_day, moved.fen + coalesce((
                SELECT closing_fen FROM balance_daily former
                WHERE former.account_id = moved.account_id AND former.day < a_day ORDER BY former.day DESC LIMIT 1
            ), 0)
            FROM (
                SELECT account_id, sum(debit_fen - credit_fen)::bigint AS fen FROM turnover_daily
                WHERE day = a_day GROUP BY account_id
            ) moved;
        $$
        """
    )


def _due(kind: str) -> None:
    """What leaves for the treasury, and what mends it, makes nothing due."""
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION due_on(a_payee bigint, of_days datemultirange)
        RETURNS TABLE (posting_id bigint, posted_on date, fen bigint) LANGUAGE sql STABLE AS $$
            SELECT posting.id, journal.posted_on, -posting.amount_fen
            FROM journal JOIN posting ON posting.journal_id = journal.id
            JOIN account ON account.id = posting.account_id AND account.code = 'due_to_treasury'
            WHERE journal.payee_id = a_payee AND {kind} NOT IN ('remittance', 'remittance_bounce')
              AND journal.posted_on BETWEEN lower(of_days) AND upper(of_days) - 1 AND of_days @> journal.posted_on
        $$
        """
    )


def downgrade() -> None:
    _due("journal.kind")
    _derived("journal.kind")
    op.execute("DROP FUNCTION counted_kind")
    for table in LET_GO:
        op.execute(f"DROP TRIGGER a_{table}_that_is_let_go_is_taken_back ON {table}")
    op.execute("DROP FUNCTION what_is_let_go_is_taken_back")
    op.execute("DROP TRIGGER what_stands_for_a_journal_was_agreed ON journal")
    op.drop_table("correction")
    op.execute(
        "DROP FUNCTION what_stands_for_a_journal_was_agreed, an_accepted_correction_is_posted, "
        "a_correction_is_decided_once"
    )
