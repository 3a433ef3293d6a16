"""Settlement statements: what an enterprise took, gave back, paid WeChat and got, by two persons and then for ever."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.words import grant, written_down

revision = "0049"
down_revision = "0048"

FIGURES = (
    "opening_fen", "paid_fen", "refunded_fen", "fee_fen", "difference_fen", "settled_fen", "closing_fen", "arrived_fen",
)  # fmt: skip
CHANGING = ("state", "number", "decided_by", "decided_at", "decided_because")


def upgrade() -> None:
    op.create_table(
        "settlement_statement",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("key", sa.Uuid, nullable=False),
        sa.Column("payee_id", sa.BigInteger, nullable=False),
        _text("regime"),
        sa.Column("days", postgresql.DATERANGE, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in FIGURES),
        _text("made_by"),
        _moment("made_at"),
        _text("state"),
        _text("number", nullable=True),
        _text("decided_by", nullable=True),
        _moment("decided_at", nullable=True),
        _text("decided_because", nullable=True),
        sa.UniqueConstraint("key", name="uq_settlement_statement_key"),
        sa.UniqueConstraint("number", name="a_statements_number_is_used_once"),
        sa.ForeignKeyConstraint(
            ["payee_id", "regime"], ["payee.id", "payee.regime"], name="a_settlement_has_its_payees_regime"
        ),
        postgresql.ExcludeConstraint(
            (sa.column("payee_id"), "="),
            (sa.column("days"), "&&"),
            where=sa.text("state <> 'rejected'"),
            using="gist",
            name="a_day_is_settled_once",
        ),
        sa.CheckConstraint("regime = 'SOE'", name="only_an_enterprise_is_settled_with"),
        sa.CheckConstraint(
            "NOT isempty(days) AND NOT lower_inf(days) AND NOT upper_inf(days)", name="a_settlement_is_of_some_days"
        ),
        sa.CheckConstraint("state IN ('draft', 'issued', 'rejected')", name="a_settlement_is_in_a_known_state"),
        sa.CheckConstraint(
            "opening_fen + paid_fen - refunded_fen - fee_fen + difference_fen - settled_fen = closing_fen",
            name="a_settlement_adds_up",
        ),
        sa.CheckConstraint("arrived_fen BETWEEN 0 AND settled_fen", name="no_more_arrives_than_was_settled"),
        sa.CheckConstraint("(state = 'issued') = (number IS NOT NULL)", name="an_issued_settlement_has_its_number"),
        sa.CheckConstraint(
            "num_nonnulls(decided_by, decided_at, decided_because) = CASE state WHEN 'draft' THEN 0 ELSE 3 END",
            name="a_settlement_that_was_decided_says_who_and_why",
        ),
        sa.CheckConstraint("decided_by <> made_by", name="a_settlement_is_decided_by_another_person"),
    )
    op.create_index("ix_settlement_statement_payee_id", "settlement_statement", ["payee_id"])
    grant(f"SELECT, INSERT, UPDATE ({', '.join(CHANGING)})", "settlement_statement")
    _fixed()
    _true()
    written_down("settlement_statement", "payee_id", "days", *FIGURES, "made_by", "number", "state", moving="state")


def _text(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Text, nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _fixed() -> None:
    """What was drafted says the same for ever; it is decided once and never removed, whoever writes."""
    kept = ", ".join(f"'{column}'" for column in CHANGING)
    op.execute(
        f"""
        CREATE FUNCTION settlement_statement_says_the_same() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND OLD.state = 'draft'
               AND to_jsonb(NEW) - ARRAY[{kept}] = to_jsonb(OLD) - ARRAY[{kept}] THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'a settlement statement says the same for ever'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'settlement_statement_says_the_same';
        END $$;
        CREATE TRIGGER settlement_statement_says_the_same BEFORE UPDATE OR DELETE ON settlement_statement
            FOR EACH ROW EXECUTE FUNCTION settlement_statement_says_the_same();
        CREATE TRIGGER settlement_statement_is_never_emptied BEFORE TRUNCATE ON settlement_statement
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
        """
    )


def _true() -> None:
    """A statement says what the closed books say of signed-off days, from kept turnover."""
    op.execute(
        """
        CREATE FUNCTION settled_figures(a_payee bigint, of_days daterange, OUT opening bigint, OUT paid bigint,
            OUT refunded bigint, OUT fee bigint, OUT difference bigint, OUT settled bigint, OUT closing bigint,
            OUT arrived bigint) LANGUAGE sql STABLE AS $$
            SELECT coalesce(sum(debit_fen - credit_fen) FILTER (WHERE day < lower(of_days)), 0)::bigint,
                   coalesce(sum(debit_fen - credit_fen) FILTER (
                       WHERE of_days @> day AND moved.kind IN ('payment', 'surplus')), 0)::bigint,
                   coalesce(sum(credit_fen - debit_fen) FILTER (
                       WHERE of_days @> day AND moved.kind LIKE 'refund%'), 0)::bigint,
                   coalesce(sum(credit_fen - debit_fen) FILTER (
                       WHERE of_days @> day AND moved.kind = 'channel_fee'), 0)::bigint,
                   coalesce(sum(debit_fen - credit_fen) FILTER (
                       WHERE of_days @> day AND moved.kind NOT IN ('payment', 'surplus', 'channel_fee', 'settlement')
                       AND moved.kind NOT LIKE 'refund%'), 0)::bigint,
                   coalesce(sum(credit_fen - debit_fen) FILTER (
                       WHERE of_days @> day AND moved.kind = 'settlement'), 0)::bigint,
                   coalesce(sum(debit_fen - credit_fen), 0)::bigint,
                   (SELECT coalesce(sum(posting.amount_fen), 0)::bigint
                    FROM journal JOIN posting ON posting.journal_id = journal.id
                    JOIN account bank ON bank.id = posting.account_id AND bank.code = 'bank'
                    JOIN settlement_arrival arrival ON journal.business_ref = 'settlement:' || arrival.flow_id
                    WHERE journal.payee_id = a_payee AND journal.kind = 'settlement' AND of_days @> journal.posted_on)
            FROM turnover_daily moved JOIN account ON account.id = account_id
            WHERE account.payee_id = a_payee AND code = 'wx_receivable' AND day < upper(of_days)
        $$
        """
    )
    op.execute(
        """
        CREATE FUNCTION a_settlement_says_what_the_books_say() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            through date := upper(NEW.days) - 1;
            broken  text;
        BEGIN
            IF (NEW.opening_fen, NEW.paid_fen, NEW.refunded_fen, NEW.fee_fen, NEW.difference_fen, NEW.settled_fen,
                NEW.closing_fen, NEW.arrived_fen)
               IS DISTINCT FROM (SELECT (f.opening, f.paid, f.refunded, f.fee, f.difference, f.settled, f.closing,
                                         f.arrived) FROM settled_figures(NEW.payee_id, NEW.days) f) THEN
                broken := 'a_settlement_says_what_the_books_say';
            ELSIF through > coalesce(signed_off_through(NEW.payee_id), '-infinity') THEN
                broken := 'a_settlement_is_of_signed_off_days';
            ELSIF EXISTS (
                SELECT FROM journal WHERE posted_on <= through
                AND posted_on > coalesce((SELECT max(day) FROM accounting_day), '-infinity')
            ) THEN
                broken := 'a_settlement_is_of_closed_days';
            END IF;
            IF broken IS NOT NULL THEN
                RAISE EXCEPTION 'settlement of payee %: %', NEW.payee_id, broken
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = broken;
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER a_settlement_says_what_the_books_say BEFORE INSERT ON settlement_statement
            FOR EACH ROW EXECUTE FUNCTION a_settlement_says_what_the_books_say();
        """
    )


def downgrade() -> None:
    op.drop_table("settlement_statement")
    op.execute(
        "DROP FUNCTION settlement_statement_says_the_same, a_settlement_says_what_the_books_say, settled_figures"
    )
