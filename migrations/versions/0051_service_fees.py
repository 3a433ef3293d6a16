"""Operators' service fees: what was agreed with a unit, and a statement a month that no account of a payee knows."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.words import append_only, change_written_down, grant, written_down

revision = "0051"
down_revision = "0050"

DECISION = ("state", "number", "decided_by", "decided_at", "decided_because")
SUMS = ("gross_fen", "refunded_fen", "share_fen", "fixed_fen")


def upgrade() -> None:
    _terms()
    _statements()
    _lines()
    _reckoned()
    _true()
    _agreed_before()
    told = ("operator_id", "unit_id", "valid", "permille", "monthly_fen", "recorded_by", "confirmed_by")
    written_down("service_fee_terms", *told, moving="confirmed_by")
    change_written_down("service_fee_terms", "valid", *told)
    written_down(
        "service_fee_statement", "operator_id", "unit_id", "month", "lines", *SUMS, "made_by", "number", "state",
        moving="state",
    )  # fmt: skip


def _id() -> sa.Column:
    return sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True)


def _number(name: str) -> sa.Column:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _text(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Text, nullable=nullable)


def _row(name: str, of: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.BigInteger, sa.ForeignKey(f"{of}.id"), nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _terms() -> None:
    op.create_table(
        "service_fee_terms",
        _id(),
        sa.Column("key", sa.Uuid, nullable=False),
        _row("operator_id", "operator"),
        _row("unit_id", "unit"),
        sa.Column("valid", postgresql.DATERANGE, nullable=False),
        _number("permille"),
        _number("monthly_fen"),
        _text("document_no"),
        _row("file_id", "stored_file"),
        _row("recorded_by", "staff_account"),
        _moment("recorded_at"),
        _row("confirmed_by", "staff_account", nullable=True),
        _moment("confirmed_at", nullable=True),
        sa.UniqueConstraint("key", name="uq_service_fee_terms_key"),
        sa.UniqueConstraint("id", "permille", "monthly_fen", name="agreed_fees_are_of_one_height"),
        postgresql.ExcludeConstraint(
            (sa.column("operator_id"), "="),
            (sa.column("unit_id"), "="),
            (sa.column("valid"), "&&"),
            where=sa.text("confirmed_by IS NOT NULL"),
            using="gist",
            name="a_fee_is_agreed_once_at_a_time",
        ),
        sa.CheckConstraint(
            "permille BETWEEN 0 AND 1000 AND monthly_fen >= 0", name="an_agreed_fee_is_a_share_or_a_sum"
        ),
        sa.CheckConstraint("permille > 0 OR monthly_fen > 0", name="an_agreed_fee_is_for_something"),
        sa.CheckConstraint("NOT isempty(valid) AND NOT lower_inf(valid)", name="agreed_fees_hold_for_some_days"),
        sa.CheckConstraint("document_no <> ''", name="an_agreed_fee_names_its_document"),
        sa.CheckConstraint("confirmed_by <> recorded_by", name="agreed_fees_are_confirmed_by_another_person"),
        sa.CheckConstraint("(confirmed_by IS NULL) = (confirmed_at IS NULL)", name="a_confirmed_fee_has_its_time"),
    )
    op.create_index("ix_service_fee_terms_unit_id", "service_fee_terms", ["unit_id"])
    grant("SELECT, INSERT, UPDATE (valid, confirmed_by, confirmed_at)", "service_fee_terms")
    _fixed(
        "service_fee_terms", ("valid", "confirmed_by", "confirmed_at"),
        "OLD.confirmed_by IS NULL OR OLD.confirmed_by IS NOT DISTINCT FROM NEW.confirmed_by",
    )  # fmt: skip
    op.execute(
        "CREATE TRIGGER service_fee_terms_only_ends BEFORE UPDATE OF valid ON service_fee_terms "
        "FOR EACH ROW EXECUTE FUNCTION refuse_stretching()"
    )


def _statements() -> None:
    op.create_table(
        "service_fee_statement",
        _id(),
        sa.Column("key", sa.Uuid, nullable=False),
        _row("operator_id", "operator"),
        _row("unit_id", "unit"),
        sa.Column("month", sa.Date, nullable=False),
        _number("lines"),
        *(_number(name) for name in SUMS),
        _row("made_by", "staff_account"),
        _moment("made_at"),
        _text("state"),
        _text("number", nullable=True),
        _row("decided_by", "staff_account", nullable=True),
        _moment("decided_at", nullable=True),
        _text("decided_because", nullable=True),
        sa.Column("transaction_id", sa.BigInteger, nullable=False, server_default=sa.text("txid_current()")),
        sa.UniqueConstraint("key", name="uq_service_fee_statement_key"),
        sa.UniqueConstraint("number", name="a_fee_statements_number_is_used_once"),
        sa.CheckConstraint(
            "extract(day FROM month) = 1 AND made_at >= (month + interval '1 month') AT TIME ZONE 'Asia/Shanghai'",
            name="a_fee_statement_is_of_a_month_that_is_over",
        ),
        sa.CheckConstraint("lines > 0", name="a_fee_statement_is_of_some_lot"),
        sa.CheckConstraint("state IN ('draft', 'issued', 'rejected')", name="a_fee_statement_is_in_a_known_state"),
        sa.CheckConstraint("(state = 'issued') = (number IS NOT NULL)", name="an_issued_fee_statement_has_its_number"),
        sa.CheckConstraint(
            "num_nonnulls(decided_by, decided_at, decided_because) = CASE state WHEN 'draft' THEN 0 ELSE 3 END",
            name="a_fee_statement_that_was_decided_says_who_and_why",
        ),
        sa.CheckConstraint("decided_by <> made_by", name="a_fee_statement_is_decided_by_another_person"),
    )
    op.create_index(
        "a_month_is_stated_once", "service_fee_statement", ["operator_id", "unit_id", "month"], unique=True,
        postgresql_where=sa.text("state <> 'rejected'"),
    )  # fmt: skip
    grant(f"SELECT, INSERT, UPDATE ({', '.join(DECISION)})", "service_fee_statement")
    _fixed("service_fee_statement", DECISION, "OLD.state = 'draft'")


def _lines() -> None:
    op.create_table(
        "service_fee_line",
        _row("statement_id", "service_fee_statement"),
        _row("lot_id", "lot"),
        _number("terms_id"),
        *(_number(name) for name in ("permille", "monthly_fen", "days", "days_of_month", *SUMS)),
        sa.PrimaryKeyConstraint("statement_id", "lot_id", "terms_id", name="pk_service_fee_line"),
        sa.ForeignKeyConstraint(
            ["terms_id", "permille", "monthly_fen"],
            [f"service_fee_terms.{name}" for name in ("id", "permille", "monthly_fen")],
            name="a_fee_is_of_the_agreed_height",
        ),
        sa.CheckConstraint(
            "share_fen = round((gross_fen - refunded_fen)::numeric * permille / 1000)",
            name="a_share_is_of_what_was_collected",
        ),
        sa.CheckConstraint(
            "days BETWEEN 1 AND days_of_month AND fixed_fen = round(monthly_fen::numeric * days / days_of_month)",
            name="a_fixed_fee_is_by_the_day",
        ),
        sa.CheckConstraint("gross_fen >= 0 AND refunded_fen >= 0", name="what_was_collected_is_gross"),
    )
    append_only("service_fee_line")


def _fixed(table: str, changing: tuple[str, ...], while_: str) -> None:
    """Of a row only these columns change, while this holds; it is never removed, whoever writes."""
    kept = ", ".join(f"'{column}'" for column in changing)
    op.execute(
        f"""
        CREATE FUNCTION {table}_says_the_same() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND ({while_})
               AND to_jsonb(NEW) - ARRAY[{kept}] = to_jsonb(OLD) - ARRAY[{kept}] THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'what a {table} says is fixed'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = '{table}_says_the_same';
        END $$;
        CREATE TRIGGER {table}_says_the_same BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION {table}_says_the_same();
        CREATE TRIGGER {table}_is_never_emptied BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
        """
    )


def _reckoned() -> None:
    """What an operator's lots of a unit collected in a month, lot by lot and term by term, and the fee of it.

    A lot's day is the operator's who runs it when the day begins; money counts on the day on which it entered the
    books. Second payments are not collected: they go back whole.
    """
    op.execute(
        """
        CREATE FUNCTION service_fee_lines(an_operator bigint, a_unit bigint, a_month date)
        RETURNS TABLE (lot_id bigint, terms_id bigint, permille bigint, monthly_fen bigint, days bigint,
                       days_of_month bigint, gross_fen bigint, refunded_fen bigint, share_fen bigint, fixed_fen bigint)
        LANGUAGE sql STABLE AS $$
            WITH span AS (
                SELECT a_month::timestamp AS first, a_month + interval '1 month' - interval '1 day' AS last
            ), run AS (
                SELECT covered.lot_id, terms.id AS terms_id, terms.permille, terms.monthly_fen, begins::date AS day
                FROM span CROSS JOIN generate_series(span.first, span.last, interval '1 day') AS begins
                JOIN operating_agreement agreement ON operator_id = an_operator AND agreement.unit_id = a_unit
                JOIN agreement_lot covered ON covered.agreement_id = agreement.id
                 AND covered.valid @> (begins AT TIME ZONE 'Asia/Shanghai')
                JOIN service_fee_terms terms ON terms.operator_id = an_operator AND terms.unit_id = a_unit
                 AND terms.confirmed_by IS NOT NULL AND terms.valid @> begins::date
            ), booked AS (
                SELECT journal.kind, business_ref, posted_on AS day FROM span JOIN journal
                    ON posted_on BETWEEN span.first::date AND span.last::date
                WHERE journal.payee_id IN (SELECT payee_id FROM lot_payee WHERE lot_payee.unit_id = a_unit)
                  AND journal.kind IN ('payment', 'refund_success', 'refund_recovered', 'refund_by_treasury')
            ), moved AS (
                SELECT charge_id, day, paid_fen AS paid, 0 AS refunded
                FROM booked JOIN payment_order ON out_trade_no = substr(business_ref, length('order:') + 1)
                JOIN payment ON payment.order_id = payment_order.id
                WHERE booked.kind = 'payment' AND NOT surplus
                UNION ALL
                SELECT charge_id, day, 0, amount_fen
                FROM booked JOIN refund ON out_refund_no = substr(business_ref, length('refund:') + 1)
                WHERE booked.kind <> 'payment' AND NOT surplus
            ), collected AS (
                SELECT stay.lot_id, day, sum(paid)::bigint AS paid, sum(refunded)::bigint AS refunded
                FROM moved JOIN charge ON charge.id = charge_id AND source_kind = 'bill'
                JOIN bill ON bill.key = source_key JOIN stay ON stay.id = bill.stay_id
                GROUP BY stay.lot_id, day
            ), summed AS (
                SELECT run.lot_id, run.terms_id, run.permille, run.monthly_fen, count(*) AS days,
                       (SELECT extract(day FROM span.last)::bigint FROM span) AS days_of_month,
                       coalesce(sum(paid), 0)::bigint AS gross, coalesce(sum(refunded), 0)::bigint AS refunded
                FROM run LEFT JOIN collected ON collected.lot_id = run.lot_id AND collected.day = run.day
                GROUP BY run.lot_id, run.terms_id, run.permille, run.monthly_fen
            )
            SELECT summed.lot_id, summed.terms_id, summed.permille, summed.monthly_fen, summed.days,
                   summed.days_of_month, gross, refunded,
                   round((gross - refunded)::numeric * summed.permille / 1000)::bigint,
                   round(summed.monthly_fen::numeric * summed.days / summed.days_of_month)::bigint
            FROM summed
        $$
        """
    )


def _true() -> None:
    """Looked at when the transaction ends: a statement says what was collected, of signed-off and closed days."""
    op.execute(
        """
        CREATE FUNCTION a_fee_statement_says_what_was_collected() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            through date := (NEW.month + interval '1 month' - interval '1 day')::date;
            broken  text;
        BEGIN
            IF EXISTS (
                SELECT FROM lot_payee WHERE unit_id = NEW.unit_id
                AND lower(valid) < (through + 1)::timestamp AT TIME ZONE 'Asia/Shanghai'
                AND through > coalesce(signed_off_through(payee_id), '-infinity')
            ) THEN
                broken := 'a_fee_statement_is_of_signed_off_days';
            ELSIF EXISTS (
                SELECT FROM journal WHERE posted_on <= through
                AND posted_on > coalesce((SELECT max(day) FROM accounting_day), '-infinity')
            ) THEN
                broken := 'a_fee_statement_is_of_closed_days';
            ELSIF (NEW.lines, NEW.gross_fen, NEW.refunded_fen, NEW.share_fen, NEW.fixed_fen) IS DISTINCT FROM (
                SELECT (count(*), sum(line.gross_fen)::bigint, sum(line.refunded_fen)::bigint,
                        sum(line.share_fen)::bigint, sum(line.fixed_fen)::bigint)
                FROM service_fee_line line WHERE statement_id = NEW.id
            ) OR EXISTS (
                SELECT FROM service_fee_lines(NEW.operator_id, NEW.unit_id, NEW.month) told
                FULL JOIN (SELECT * FROM service_fee_line WHERE statement_id = NEW.id) line
                    ON line.lot_id = told.lot_id AND line.terms_id = told.terms_id
                WHERE (told.days, told.gross_fen, told.refunded_fen)
                      IS DISTINCT FROM (line.days, line.gross_fen, line.refunded_fen)
            ) THEN
                broken := 'a_fee_statement_says_what_was_collected';
            END IF;
            IF broken IS NOT NULL THEN
                RAISE EXCEPTION 'service fee of operator % with unit %: %', NEW.operator_id, NEW.unit_id, broken
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = broken;
            END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER a_fee_statement_says_what_was_collected AFTER INSERT ON service_fee_statement
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION a_fee_statement_says_what_was_collected();
        CREATE FUNCTION a_fee_statement_is_made_at_once() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (SELECT FROM service_fee_statement WHERE transaction_id <> txid_current()
                       AND id IN (SELECT DISTINCT statement_id FROM added)) THEN
                RAISE EXCEPTION 'a statement gets no further lines'
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_fee_statement_is_made_at_once';
            END IF;
            RETURN NULL;
        END $$;
        CREATE TRIGGER a_fee_statement_is_made_at_once AFTER INSERT ON service_fee_line
            REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION a_fee_statement_is_made_at_once();
        """
    )


def _agreed_before() -> None:
    """What was agreed for a month stays so while a statement of that month lives."""
    op.execute(
        """
        CREATE FUNCTION a_stated_fee_stays_agreed() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            changed daterange := CASE
                WHEN OLD.confirmed_by IS DISTINCT FROM NEW.confirmed_by THEN NEW.valid
                WHEN NEW.confirmed_by IS NOT NULL AND OLD.valid <> NEW.valid
                    THEN daterange(upper(NEW.valid), upper(OLD.valid))
                ELSE 'empty' END;
        BEGIN
            IF EXISTS (
                SELECT FROM service_fee_statement WHERE operator_id = NEW.operator_id AND unit_id = NEW.unit_id
                AND state <> 'rejected' AND changed && daterange(month, (month + interval '1 month')::date)
            ) THEN
                RAISE EXCEPTION 'a statement of some of these days lives'
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_stated_fee_stays_agreed';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER a_stated_fee_stays_agreed BEFORE UPDATE ON service_fee_terms
            FOR EACH ROW EXECUTE FUNCTION a_stated_fee_stays_agreed();
        """
    )


def downgrade() -> None:
    for table in ("service_fee_line", "service_fee_statement", "service_fee_terms"):
        op.drop_table(table)
    op.execute(
        "DROP FUNCTION service_fee_lines, service_fee_terms_says_the_same, service_fee_statement_says_the_same, "
        "a_fee_statement_says_what_was_collected, a_fee_statement_is_made_at_once, a_stated_fee_stays_agreed"
    )
