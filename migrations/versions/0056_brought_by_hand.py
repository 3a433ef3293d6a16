"""Bills that people bring, what comes back after it was sent, and whose days a fee statement waits for."""

import sqlalchemy as sa
from alembic import op

from migrations.words import append_only, line_written_down

revision = "0056"
down_revision = "0055"

SIGNED_OFF = """SELECT FROM lot_payee WHERE unit_id = NEW.unit_id
                AND lower(valid) < (through + 1)::timestamp AT TIME ZONE 'Asia/Shanghai'
                AND through > coalesce(signed_off_through(payee_id), {without_a_merchant})"""
WITHOUT_A_MERCHANT = """CASE
                    WHEN EXISTS (SELECT FROM merchant_channel WHERE merchant_channel.payee_id = lot_payee.payee_id)
                      OR EXISTS (SELECT FROM journal WHERE journal.payee_id = lot_payee.payee_id)
                    THEN '-infinity' ELSE 'infinity' END::date"""
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
    _fees(SIGNED_OFF.format(without_a_merchant=WITHOUT_A_MERCHANT), WITHOUT_A_PAYEE)
    _returns()
    _bills()


def _fees(signed_off: str, also: str) -> None:
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
            {also}IF EXISTS (
                {signed_off}
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


def _returns() -> None:
    """The bank gives back on the day on which a batch was sent or later, and not on a day that is to come."""
    op.create_check_constraint(
        "a_banks_return_is_not_to_come", "remittance_bounce",
        "returned_on <= (recorded_at AT TIME ZONE 'Asia/Shanghai')::date",
    )  # fmt: skip
    op.execute(
        """
        CREATE FUNCTION a_bank_gives_back_after_it_was_sent() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (
                SELECT FROM remittance_step WHERE batch_id = NEW.batch_id AND state = 'sent'
                AND (at AT TIME ZONE 'Asia/Shanghai')::date <= NEW.returned_on
            ) THEN
                RAISE EXCEPTION 'batch % was not sent by %', NEW.batch_id, NEW.returned_on
                    USING ERRCODE = 'integrity_constraint_violation',
                          CONSTRAINT = 'a_bank_gives_back_after_it_was_sent';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER a_bank_gives_back_after_it_was_sent BEFORE INSERT ON remittance_bounce
            FOR EACH ROW EXECUTE FUNCTION a_bank_gives_back_after_it_was_sent()
        """
    )


def _bills() -> None:
    op.create_unique_constraint("a_bill_keeps_its_state", "bill_file", ["id", "state"])
    op.create_table(
        "bill_by_hand",
        sa.Column("bill_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("file_id", sa.BigInteger, sa.ForeignKey("stored_file.id"), nullable=True),
        sa.Column("brought_by", sa.Text, nullable=False),
        sa.Column("because", sa.Text, nullable=False),
        sa.Column("brought_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["bill_id", "state"], ["bill_file.id", "bill_file.state"], name="what_is_brought_by_hand_is_a_bill"
        ),
        sa.CheckConstraint("state IN ('loaded', 'empty')", name="what_was_refused_is_no_bill"),
        sa.CheckConstraint(
            "(state = 'empty') = (file_id IS NOT NULL)", name="that_nothing_happened_is_proved_by_a_paper"
        ),
        sa.CheckConstraint("brought_by <> '' AND because <> ''", name="who_brings_a_bill_says_why"),
    )
    append_only("bill_by_hand")
    line_written_down("bill_by_hand", "bill_id", "brought_by", "file_id")
    op.execute(
        """
        CREATE FUNCTION a_bill_is_brought_when_wechat_has_it_no_more() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            broken text;
        BEGIN
            IF NOT EXISTS (SELECT FROM bill_file WHERE id = NEW.bill_id AND transaction_id = txid_current()) THEN
                broken := 'who_brings_a_bill_says_so_at_once';
            ELSIF EXISTS (
                SELECT FROM bill_file had JOIN bill_file brought ON brought.id = NEW.bill_id
                AND had.day_id = brought.day_id AND had.id <> brought.id AND had.state IN ('loaded', 'empty')
                WHERE NOT EXISTS (SELECT FROM bill_by_hand WHERE bill_id = had.id)
            ) THEN
                broken := 'what_wechat_gave_is_not_brought';
            ELSIF NOT EXISTS (
                SELECT FROM bill_file JOIN bill_day ON bill_day.id = day_id WHERE bill_file.id = NEW.bill_id
                AND day < (NEW.brought_at AT TIME ZONE 'Asia/Shanghai')::date - 90
            ) THEN
                broken := 'a_bill_is_brought_when_wechat_has_it_no_more';
            END IF;
            IF broken IS NOT NULL THEN
                RAISE EXCEPTION 'bill % by hand: %', NEW.bill_id, broken
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = broken;
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER a_bill_is_brought_when_wechat_has_it_no_more BEFORE INSERT ON bill_by_hand
            FOR EACH ROW EXECUTE FUNCTION a_bill_is_brought_when_wechat_has_it_no_more();
        CREATE FUNCTION a_bill_by_hand_is_signed_by_another_person() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (
                SELECT FROM bill_day JOIN bill_file ON bill_file.day_id = bill_day.id
                JOIN bill_by_hand ON bill_by_hand.bill_id = bill_file.id
                WHERE bill_day.channel_id = NEW.channel_id AND bill_day.day = NEW.day AND brought_by = NEW.signed_by
            ) THEN
                RAISE EXCEPTION 'who brought a bill of % signs it off', NEW.day
                    USING ERRCODE = 'integrity_constraint_violation',
                          CONSTRAINT = 'a_bill_by_hand_is_signed_by_another_person';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER a_bill_by_hand_is_signed_by_another_person BEFORE INSERT ON day_sign_off
            FOR EACH ROW EXECUTE FUNCTION a_bill_by_hand_is_signed_by_another_person()
        """
    )


def downgrade() -> None:
    """Only where nobody brought a bill: who did is not forgotten."""
    op.execute(
        """
        DO $$ BEGIN
            IF EXISTS (SELECT FROM bill_by_hand) THEN
                RAISE EXCEPTION 'people brought bills: this step cannot be taken back';
            END IF;
        END $$;
        DROP TRIGGER a_bill_by_hand_is_signed_by_another_person ON day_sign_off;
        DROP TRIGGER a_bank_gives_back_after_it_was_sent ON remittance_bounce
        """
    )
    op.drop_table("bill_by_hand")
    op.execute(
        "DROP FUNCTION a_bill_by_hand_is_signed_by_another_person, a_bill_is_brought_when_wechat_has_it_no_more, "
        "a_bank_gives_back_after_it_was_sent"
    )
    op.drop_constraint("a_bill_keeps_its_state", "bill_file")
    op.drop_constraint("a_banks_return_is_not_to_come", "remittance_bounce")
    _fees(SIGNED_OFF.format(without_a_merchant="'-infinity'"), "")
