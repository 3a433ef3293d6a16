"""What each account moved on a closed day is kept by unit as well, as far as its units' bills brought it."""

import sqlalchemy as sa
from alembic import op

from migrations.words import grant

revision = "0074"
down_revision = "0073"

KEPT = "day, unit_id, account_id, kind, debit_fen, credit_fen, postings"


def upgrade() -> None:
    """Days that were closed before are kept one by one, as those to come: not here, in one go, while the city waits."""
    _kept()
    _moved()
    _derived()
    _rebuilt("PERFORM pg_advisory_xact_lock(680102); DELETE FROM unit_turnover_day;")


def _kept() -> None:
    op.create_table(
        "unit_turnover_day",
        sa.Column("day", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("day", name="pk_unit_turnover_day"),
        sa.ForeignKeyConstraint(["day"], ["accounting_day.day"], name="a_day_is_kept_by_unit_when_it_is_closed"),
    )
    op.create_table(
        "unit_turnover_daily",
        sa.Column("day", sa.Date, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("account_id", "unit_id")),
        sa.Column("kind", sa.Text, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("debit_fen", "credit_fen", "postings")),
        sa.PrimaryKeyConstraint("day", "account_id", "unit_id", "kind", name="pk_unit_turnover_daily"),
        sa.ForeignKeyConstraint(
            ["day"], ["unit_turnover_day.day"], name="what_is_kept_by_unit_is_of_a_kept_day", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_unit_turnover_daily_account_id"),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_unit_turnover_daily_unit_id"),
        sa.CheckConstraint(
            "debit_fen >= 0 AND credit_fen >= 0 AND postings > 0", name="a_units_turnover_moved_something"
        ),
    )
    grant("SELECT", "unit_turnover_day", "unit_turnover_daily")


def _moved() -> None:
    """What journals of bills moved from the first day to the last, of these payees or (NULL) of all.

    An order pays several charges: of its journal each unit has what its own charges brought. What is reversed, and what
    was corrected, names the journal that it is of.
    """
    op.execute(
        """
        CREATE FUNCTION unit_turnover(first date, last date, payees bigint[])
        RETURNS TABLE (day date, unit_id bigint, account_id bigint, kind text, debit_fen bigint, credit_fen bigint,
                       postings bigint) LANGUAGE sql STABLE AS $$
            WITH told AS (
                SELECT id, counted_kind(journal) AS kind, posted_on, split_part(business_ref, ':', 1) AS family,
                       split_part(business_ref, ':', 2) AS name
                FROM journal
                WHERE posted_on BETWEEN first AND last AND (payees IS NULL OR payee_id = ANY(payees))
            ), part AS (
                SELECT told.id, told.kind, posted_on, charge_id, paid_fen
                FROM told JOIN payment_order ON out_trade_no = name JOIN payment ON payment.order_id = payment_order.id
                WHERE told.kind IN ('payment', 'surplus') AND family = 'order' AND surplus = (told.kind = 'surplus')
                UNION ALL
                SELECT told.id, told.kind, posted_on, charge.id, NULL
                FROM told JOIN charge ON charge.key = CASE
                    WHEN name ~ '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$' THEN name::uuid END
                WHERE family IN ('charge', 'recognition/charge')
                UNION ALL
                SELECT told.id, told.kind, posted_on, charge_id, NULL
                FROM told JOIN refund ON out_refund_no = name WHERE family = 'refund' OR family LIKE '%/refund'
            ), line AS (
                SELECT part.posted_on, lot.unit_id, posting.account_id, part.kind,
                       CASE WHEN posting.amount_fen < 0 THEN -1 ELSE 1 END
                           * coalesce(part.paid_fen, abs(posting.amount_fen)) AS fen
                FROM part JOIN posting ON posting.journal_id = part.id JOIN charge ON charge.id = part.charge_id
                JOIN bill ON bill.charge_key = charge.key JOIN stay ON stay.id = bill.stay_id
                JOIN lot ON lot.id = stay.lot_id
            )
            SELECT posted_on, unit_id, account_id, kind, coalesce(sum(fen) FILTER (WHERE fen > 0), 0)::bigint,
                   coalesce(-sum(fen) FILTER (WHERE fen < 0), 0)::bigint, count(*)
            FROM line GROUP BY posted_on, unit_id, account_id, kind
        $$
        """
    )


def _derived() -> None:
    """The first closed day that is not kept yet, whole or not at all; whoever posts does not wait for it."""
    op.execute(
        f"""
        CREATE FUNCTION keep_units() RETURNS date
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        DECLARE
            a_day date;
        BEGIN
            IF pg_try_advisory_xact_lock(680102) THEN
                SELECT min(day) INTO a_day FROM accounting_day
                WHERE day > coalesce((SELECT max(day) FROM unit_turnover_day), '-infinity');
            END IF;
            IF a_day IS NOT NULL THEN
                INSERT INTO unit_turnover_day (day) VALUES (a_day);
                INSERT INTO unit_turnover_daily ({KEPT}) SELECT {KEPT} FROM unit_turnover(a_day, a_day, NULL);
            END IF;
            RETURN a_day;
        END $$;
        REVOKE ALL ON FUNCTION keep_units FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION keep_units TO app_rw;
        """
    )


def _rebuilt(first: str) -> None:
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION rebuild_balances() RETURNS bigint
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        DECLARE
            closed record;
            days   bigint := 0;
        BEGIN
            {first}
            PERFORM pg_advisory_xact_lock(680101);
            DELETE FROM balance_daily;
            DELETE FROM turnover_daily;
            FOR closed IN SELECT day FROM accounting_day ORDER BY day LOOP
                PERFORM derive_day(closed.day);
                days := days + 1;
            END LOOP;
            RETURN days;
        END $$
        """
    )


def downgrade() -> None:
    _rebuilt("")
    op.execute("DROP FUNCTION keep_units, unit_turnover")
    op.drop_table("unit_turnover_daily")
    op.drop_table("unit_turnover_day")
