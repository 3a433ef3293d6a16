"""Statements wait for the days that they are of, and for no other that nobody has signed off."""

from alembic import op

revision = "0070"
down_revision = "0069"

BEGUN = "lower(channel.valid)"
HAS_A_MERCHANT = """(EXISTS (SELECT FROM merchant_channel channel
                             WHERE channel.payee_id = lot_payee.payee_id AND channel.valid IS NOT NULL)
                     OR EXISTS (SELECT FROM journal WHERE journal.payee_id = lot_payee.payee_id))"""
FORMER = """through > coalesce(signed_off_through(payee_id), CASE
                    WHEN EXISTS (SELECT FROM merchant_channel WHERE merchant_channel.payee_id = lot_payee.payee_id)
                      OR EXISTS (SELECT FROM journal WHERE journal.payee_id = lot_payee.payee_id)
                    THEN '-infinity' ELSE 'infinity' END::date)"""
WITHOUT_A_PAYEE = """IF EXISTS (
                SELECT FROM operating_agreement agreement
                JOIN agreement_lot run ON run.agreement_id = agreement.id
                JOIN lot_tariff charged ON charged.lot_id = run.lot_id AND charged.valid * run.valid && span
                JOIN tariff_version ON tariff_version.id = charged.tariff_id AND NOT is_free
                WHERE operator_id = NEW.operator_id AND agreement.unit_id = NEW.unit_id
                  AND NOT EXISTS (SELECT FROM lot_payee WHERE lot_payee.lot_id = run.lot_id AND valid && span)
            ) THEN
                broken := 'a_charging_lot_has_its_payee';
            ELS"""


def upgrade() -> None:
    _unsigned()
    _settlements("NOT isempty(unsigned_days(NEW.payee_id, NEW.days))")
    _fees(f"{HAS_A_MERCHANT} AND NOT isempty(unsigned_days(payee_id, daterange(NEW.month, through, '[]')))")


def _unsigned() -> None:
    """Those of some days that not every merchant of a payee has signed off; before its first one none is missing."""
    op.execute(
        f"""
        CREATE FUNCTION unsigned_days(a_payee bigint, of_days daterange)
        RETURNS datemultirange LANGUAGE sql STABLE AS $$
            SELECT datemultirange(of_days * daterange((
                SELECT min(({BEGUN} AT TIME ZONE 'Asia/Shanghai')::date)
                FROM merchant_channel channel WHERE payee_id = a_payee AND channel.valid IS NOT NULL
            ), NULL)) - coalesce(signed_off_days(a_payee), '{{}}')
        $$
        """
    )


def _settlements(unsigned: str) -> None:
    """A statement says what the closed books say of signed-off days, from kept turnover."""
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION a_settlement_says_what_the_books_say() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            through date := upper(NEW.days) - 1;
            broken  text;
        BEGIN
            IF (NEW.opening_fen, NEW.paid_fen, NEW.refunded_fen, NEW.fee_fen, NEW.difference_fen, NEW.settled_fen,
                NEW.closing_fen, NEW.arrived_fen)
               IS DISTINCT FROM (SELECT (f.opening, f.paid, f.refunded, f.fee, f.difference, f.settled, f.closing,
                                         f.arrived) FROM settled_figures(NEW.payee_id, NEW.days) f) THEN
                broken := 'a_settlement_says_what_the_books_say';
            ELSIF {unsigned} THEN
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
        END $$
        """
    )


def _fees(unsigned: str) -> None:
    """Looked at when the transaction ends: every figure of a fee statement is that of the closed books."""
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION a_fee_statement_says_what_was_collected() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            through date := (NEW.month + interval '1 month' - interval '1 day')::date;
            span    tstzrange := tstzrange(NEW.month::timestamp AT TIME ZONE 'Asia/Shanghai',
                                           (through + 1)::timestamp AT TIME ZONE 'Asia/Shanghai');
            broken  text;
        BEGIN
            {WITHOUT_A_PAYEE}IF EXISTS (
                SELECT FROM lot_payee WHERE unit_id = NEW.unit_id
                AND lower(valid) < (through + 1)::timestamp AT TIME ZONE 'Asia/Shanghai' AND {unsigned}
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
                WHERE (told.days, told.days_of_month, told.permille, told.monthly_fen, told.gross_fen,
                       told.refunded_fen, told.share_fen, told.fixed_fen) IS DISTINCT FROM
                      (line.days, line.days_of_month, line.permille, line.monthly_fen, line.gross_fen,
                       line.refunded_fen, line.share_fen, line.fixed_fen)
            ) THEN
                broken := 'a_fee_statement_says_what_was_collected';
            END IF;
            IF broken IS NOT NULL THEN
                RAISE EXCEPTION 'service fee of operator % with unit %: %', NEW.operator_id, NEW.unit_id, broken
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = broken;
            END IF;
            RETURN NULL;
        END $$
        """
    )


def downgrade() -> None:
    _fees(FORMER)
    _settlements("through > coalesce(signed_off_through(NEW.payee_id), '-infinity')")
    op.execute("DROP FUNCTION unsigned_days")
