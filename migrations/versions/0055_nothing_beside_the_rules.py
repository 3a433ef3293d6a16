"""What hand-written SQL could still do beside the rules: further lines, other figures, terms born confirmed."""

from alembic import op

revision = "0055"
down_revision = "0054"


def upgrade() -> None:
    _made_at_once("a_batch_is_made_at_once", "remittance_batch", "remittance_line", "batch_id", counted=True)
    _made_at_once(
        "a_fee_statement_is_made_at_once", "service_fee_statement", "service_fee_line", "statement_id", counted=True
    )
    _collected(
        "(told.days, told.days_of_month, told.permille, told.monthly_fen, told.gross_fen, told.refunded_fen, "
        "told.share_fen, told.fixed_fen)",
        "(line.days, line.days_of_month, line.permille, line.monthly_fen, line.gross_fen, line.refunded_fen, "
        "line.share_fen, line.fixed_fen)",
    )
    _stays_agreed("INSERT OR UPDATE")
    _terms_say("(OLD.confirmed_by, OLD.confirmed_at) IS NOT DISTINCT FROM (NEW.confirmed_by, NEW.confirmed_at)")
    op.create_check_constraint(
        "a_fee_statement_is_numbered_and_decided_in_words", "service_fee_statement",
        "number <> '' AND decided_because <> ''",
    )  # fmt: skip
    op.execute(
        """
        CREATE FUNCTION a_document_number_stays() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'the document of a remittance stays'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_document_number_stays';
        END $$;
        CREATE TRIGGER a_document_number_stays BEFORE UPDATE OF document_number ON remittance_batch FOR EACH ROW
            WHEN (OLD.document_number IS NOT NULL AND OLD.document_number IS DISTINCT FROM NEW.document_number)
            EXECUTE FUNCTION a_document_number_stays()
        """
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER a_document_number_stays ON remittance_batch; DROP FUNCTION a_document_number_stays")
    op.drop_constraint("a_fee_statement_is_numbered_and_decided_in_words", "service_fee_statement")
    _terms_say("OLD.confirmed_by IS NOT DISTINCT FROM NEW.confirmed_by")
    _stays_agreed("UPDATE")
    _collected("(told.days, told.gross_fen, told.refunded_fen)", "(line.days, line.gross_fen, line.refunded_fen)")
    for name, header, lines, key in (
        ("a_batch_is_made_at_once", "remittance_batch", "remittance_line", "batch_id"),
        ("a_fee_statement_is_made_at_once", "service_fee_statement", "service_fee_line", "statement_id"),
    ):
        _made_at_once(name, header, lines, key, counted=False)


def _made_at_once(name: str, header: str, lines: str, key: str, *, counted: bool) -> None:
    """Lines come in the transaction of what they are lines of, and never more than it tells."""
    more = f"OR told.lines < (SELECT count(*) FROM {lines} WHERE {key} = told.id)" if counted else ""
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (SELECT FROM {header} told WHERE id IN (SELECT DISTINCT {key} FROM added)
                       AND (transaction_id <> txid_current() {more})) THEN
                RAISE EXCEPTION 'it gets no further lines'
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = '{name}';
            END IF;
            RETURN NULL;
        END $$
        """
    )


def _collected(told: str, line: str) -> None:
    """Looked at when the transaction ends: every figure of a fee statement is that of the closed books."""
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION a_fee_statement_says_what_was_collected() RETURNS trigger LANGUAGE plpgsql AS $$
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
                WHERE {told} IS DISTINCT FROM {line}
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


def _stays_agreed(when: str) -> None:
    """What was agreed for a month stays so while a statement of that month lives, however the row came about."""
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION a_stated_fee_stays_agreed() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            changed daterange := 'empty';
        BEGIN
            IF TG_OP = 'INSERT' THEN
                IF NEW.confirmed_by IS NOT NULL THEN
                    changed := NEW.valid;
                END IF;
            ELSIF OLD.confirmed_by IS DISTINCT FROM NEW.confirmed_by THEN
                changed := NEW.valid;
            ELSIF NEW.confirmed_by IS NOT NULL AND OLD.valid <> NEW.valid THEN
                changed := daterange(upper(NEW.valid), upper(OLD.valid));
            END IF;
            IF EXISTS (
                SELECT FROM service_fee_statement WHERE operator_id = NEW.operator_id AND unit_id = NEW.unit_id
                AND state <> 'rejected' AND changed && daterange(month, (month + interval '1 month')::date)
            ) THEN
                RAISE EXCEPTION 'a statement of some of these days lives'
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_stated_fee_stays_agreed';
            END IF;
            RETURN NEW;
        END $$;
        DROP TRIGGER a_stated_fee_stays_agreed ON service_fee_terms;
        CREATE TRIGGER a_stated_fee_stays_agreed BEFORE {when} ON service_fee_terms
            FOR EACH ROW EXECUTE FUNCTION a_stated_fee_stays_agreed()
        """
    )


def _terms_say(confirmed: str) -> None:
    """Of terms only the end changes once they are confirmed, and who confirmed them when."""
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION service_fee_terms_says_the_same() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND (OLD.confirmed_by IS NULL OR {confirmed})
               AND to_jsonb(NEW) - ARRAY['valid', 'confirmed_by', 'confirmed_at']
                 = to_jsonb(OLD) - ARRAY['valid', 'confirmed_by', 'confirmed_at'] THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'what a service_fee_terms says is fixed'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'service_fee_terms_says_the_same';
        END $$
        """
    )
