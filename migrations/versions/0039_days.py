"""Accounting days are closed in order and for ever; what each account moved and held by then is kept by day."""

import sqlalchemy as sa
from alembic import op

from migrations.words import append_only, grant, written_down

revision = "0039"
down_revision = "0038"

DERIVED = ("turnover_daily", "balance_daily")


def upgrade() -> None:
    op.create_index("ix_journal_posted_on", "journal", ["posted_on"])
    op.create_index("ix_charge_created_at", "charge", ["created_at"], postgresql_include=["payee_id", "amount_fen"])
    op.create_table(
        "accounting_day",
        _number("id", identity=True),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_accounting_day"),
        sa.UniqueConstraint("day", name="a_day_is_closed_once"),
    )
    op.create_table(
        "turnover_daily",
        sa.Column("day", sa.Date, nullable=False),
        _number("account_id"),
        sa.Column("kind", sa.Text, nullable=False),
        *(_number(name) for name in ("debit_fen", "credit_fen", "postings")),
        sa.PrimaryKeyConstraint("day", "account_id", "kind", name="pk_turnover_daily"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_turnover_daily_account_id"),
        sa.CheckConstraint("debit_fen >= 0 AND credit_fen >= 0 AND postings > 0", name="a_turnover_moved_something"),
    )
    op.create_table(
        "balance_daily",
        _number("account_id"),
        sa.Column("day", sa.Date, nullable=False),
        _number("closing_fen"),
        sa.PrimaryKeyConstraint("account_id", "day", name="pk_balance_daily"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_balance_daily_account_id"),
    )
    append_only("accounting_day")
    op.execute("REVOKE INSERT ON accounting_day FROM app_rw")
    grant("SELECT", *DERIVED)
    written_down("accounting_day", "day", "closed_by")
    _closed()
    _derive()
    _close()


def _number(name: str, *, identity: bool = False) -> sa.Column:
    return sa.Column(name, sa.BigInteger, *([sa.Identity(always=True)] if identity else []), nullable=False)


def _closed() -> None:
    """Whoever posts holds the lock that the closing of a day waits for, and looks after it was had."""
    op.execute(
        """
        CREATE FUNCTION a_closed_day_takes_no_posting() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_advisory_xact_lock_shared(680101);
            IF EXISTS (SELECT FROM public.accounting_day WHERE day >= NEW.posted_on) THEN
                RAISE EXCEPTION 'the accounting day % is closed', NEW.posted_on
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_closed_day_takes_no_posting';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER a_closed_day_takes_no_posting BEFORE INSERT ON journal
            FOR EACH ROW EXECUTE FUNCTION a_closed_day_takes_no_posting();
        """
    )


def _derive() -> None:
    """A closed day's figures out of its postings; called for each day in order."""
    op.execute(
        """
        CREATE FUNCTION derive_day(a_day date) RETURNS void LANGUAGE sql AS $$
            INSERT INTO turnover_daily (day, account_id, kind, debit_fen, credit_fen, postings)
            SELECT a_day, posting.account_id, journal.kind,
                   coalesce(sum(amount_fen) FILTER (WHERE amount_fen > 0), 0),
                   coalesce(-sum(amount_fen) FILTER (WHERE amount_fen < 0), 0), count(*)
            FROM journal JOIN posting ON posting.journal_id = journal.id
            WHERE journal.posted_on = a_day GROUP BY posting.account_id, journal.kind;
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


def _close() -> None:
    op.execute(
        """
        CREATE FUNCTION close_accounting_day(a_day date, a_moment timestamptz, an_actor text) RETURNS void
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        DECLARE former date;
        BEGIN
            PERFORM pg_advisory_xact_lock(680101);
            SELECT max(day) INTO former FROM accounting_day;
            IF a_day <= former OR EXISTS (
                SELECT FROM journal WHERE posted_on < a_day AND posted_on > coalesce(former, '-infinity')
            ) THEN
                RAISE EXCEPTION 'the day % is not the next to be closed', a_day
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'days_are_closed_in_order';
            END IF;
            INSERT INTO accounting_day (day, closed_at, closed_by) VALUES (a_day, a_moment, an_actor);
            PERFORM derive_day(a_day);
        END $$;
        CREATE FUNCTION rebuild_balances() RETURNS bigint
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        DECLARE
            closed record;
            days   bigint := 0;
        BEGIN
            PERFORM pg_advisory_xact_lock(680101);
            DELETE FROM balance_daily;
            DELETE FROM turnover_daily;
            FOR closed IN SELECT day FROM accounting_day ORDER BY day LOOP
                PERFORM derive_day(closed.day);
                days := days + 1;
            END LOOP;
            RETURN days;
        END $$;
        REVOKE ALL ON FUNCTION close_accounting_day, rebuild_balances, derive_day FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION close_accounting_day, rebuild_balances TO app_rw;
        """
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION close_accounting_day, rebuild_balances, derive_day")
    op.execute("DROP TRIGGER a_closed_day_takes_no_posting ON journal")
    op.execute("DROP FUNCTION a_closed_day_takes_no_posting")
    for table in (*DERIVED, "accounting_day"):
        op.drop_table(table)
    op.drop_index("ix_charge_created_at", "charge")
    op.drop_index("ix_journal_posted_on", "journal")
