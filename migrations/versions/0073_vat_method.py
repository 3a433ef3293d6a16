"""By which method an enterprise's VAT is reckoned is said with its rate, and without both it collects nothing."""

import sqlalchemy as sa
from alembic import op

from migrations.words import written_down

revision = "0073"
down_revision = "0072"

TOLD = ("payee_id", "valid", "item_code", "vat_basis_points", "recorded_by", "confirmed_by")
METHOD_OF_THE_RATE = """
    UPDATE receipt_terms SET vat_method = CASE WHEN vat_basis_points IN (0, 600, 900, 1300) THEN 'general'
                                               ELSE 'simplified' END
    WHERE regime = 'SOE'
"""
CONFIRMED = """
            IF NOT EXISTS (
                SELECT FROM payee_confirmation said JOIN payee ON payee.id = said.payee_id
                WHERE said.payee_id = NEW.payee_id AND NOT valid >> tstzrange(NEW.created_at, NEW.created_at, '[]')
            ) THEN
                broken := 'a_charge_is_for_a_confirmed_payee';
"""
WITH_ITS_VAT = """
            ELSIF NEW.source_kind <> 'stray' AND EXISTS (
                SELECT FROM payee WHERE id = NEW.payee_id AND regime = 'SOE'
            ) AND NOT EXISTS (
                SELECT FROM receipt_terms
                WHERE payee_id = NEW.payee_id AND confirmed_by IS NOT NULL AND valid @> NEW.created_at
            ) THEN
                broken := 'an_enterprise_collects_with_its_vat_confirmed';
"""


def upgrade() -> None:
    """The rates of the two methods are not the same ones, so that each rate that two persons confirmed tells its method."""
    op.add_column("receipt_terms", sa.Column("vat_method", sa.Text, nullable=True))
    op.execute("ALTER TABLE receipt_terms DISABLE TRIGGER receipt_terms_says_the_same")
    op.execute(METHOD_OF_THE_RATE)
    op.execute("ALTER TABLE receipt_terms ENABLE TRIGGER receipt_terms_says_the_same")
    op.create_check_constraint(
        "an_enterprise_has_a_vat_method", "receipt_terms", "(regime = 'SOE') = (vat_method IS NOT NULL)"
    )
    op.create_check_constraint(
        "vat_is_reckoned_by_one_of_two_methods", "receipt_terms", "vat_method IN ('general', 'simplified')"
    )
    _told(*TOLD, "vat_method")
    _charged(WITH_ITS_VAT)


def _told(*columns: str) -> None:
    for trigger in ("is_written_down", "move_is_written_down"):
        op.execute(f"DROP TRIGGER receipt_terms_{trigger} ON receipt_terms")
    written_down("receipt_terms", *columns, moving="confirmed_by")


def _charged(with_its_vat: str) -> None:
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION a_charge_is_for_a_confirmed_payee() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            broken text;
        BEGIN{CONFIRMED.rstrip()}{with_its_vat.rstrip()}
            END IF;
            IF broken IS NOT NULL THEN
                RAISE EXCEPTION 'payee % collects nothing at %', NEW.payee_id, NEW.created_at
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = broken;
            END IF;
            RETURN NEW;
        END $$
        """
    )


def downgrade() -> None:
    _charged("")
    _told(*TOLD)
    op.drop_column("receipt_terms", "vat_method")
