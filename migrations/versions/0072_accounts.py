"""Statements are taken of accounts that one person put on record for the payee and another confirmed."""

import sqlalchemy as sa
from alembic import op

from migrations.words import grant, written_down

revision = "0072"
down_revision = "0071"


def upgrade() -> None:
    _accounts()
    grant("SELECT, INSERT, UPDATE (confirmed_by, confirmed_at)", "payee_account")
    _confirmed_once()
    _on_record()
    written_down(
        "payee_account", "payee_id", "account", "bank", "since", "recorded_by", "confirmed_by", moving="confirmed_by"
    )


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _accounts() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "payee_account",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid, nullable=False), sa.Column("payee_id", sa.BigInteger, nullable=False),
        _text("account"), _text("bank"), sa.Column("since", sa.Date, nullable=False), _text("note"),
        _text("recorded_by"), sa.Column("recorded_at", moment, nullable=False),
        _text("confirmed_by", nullable=True), sa.Column("confirmed_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_payee_account"),
        sa.UniqueConstraint("key", name="uq_payee_account_key"),
        sa.ForeignKeyConstraint(["payee_id"], ["payee.id"], name="fk_payee_account_payee_id"),
        sa.CheckConstraint("account ~ '^[0-9]{8,32}$' AND bank <> ''", name="an_account_has_its_number_and_bank"),
        sa.CheckConstraint("note <> ''", name="an_account_names_its_basis"),
        sa.CheckConstraint("confirmed_by <> recorded_by", name="an_account_is_confirmed_by_another_person"),
        sa.CheckConstraint("(confirmed_by IS NULL) = (confirmed_at IS NULL)", name="a_confirmed_account_has_its_time"),
    )  # fmt: skip
    op.create_index(
        "a_payee_has_an_account_once", "payee_account", ["payee_id", "account"], unique=True,
        postgresql_where=sa.text("confirmed_by IS NOT NULL"),
    )  # fmt: skip


def _confirmed_once() -> None:
    op.execute(
        """
        CREATE FUNCTION a_recorded_account_stays() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND OLD.confirmed_by IS NULL
               AND to_jsonb(NEW) - ARRAY['confirmed_by', 'confirmed_at']
                   = to_jsonb(OLD) - ARRAY['confirmed_by', 'confirmed_at'] THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'an account on record is confirmed once and never rewritten'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_recorded_account_stays';
        END $$;
        CREATE TRIGGER a_recorded_account_stays BEFORE UPDATE OR DELETE ON payee_account
            FOR EACH ROW EXECUTE FUNCTION a_recorded_account_stays();
        """
    )


def _on_record() -> None:
    """Statements that are there were taken before."""
    op.execute(
        """
        CREATE FUNCTION a_statement_is_of_an_account_on_record() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (SELECT FROM payee WHERE id = NEW.payee_id AND bank_account = NEW.account)
               AND NOT EXISTS (SELECT FROM payee_account WHERE payee_id = NEW.payee_id AND account = NEW.account
                               AND confirmed_by IS NOT NULL) THEN
                RAISE EXCEPTION 'account of payee % is not on record', NEW.payee_id
                    USING ERRCODE = 'integrity_constraint_violation',
                          CONSTRAINT = 'a_statement_is_of_an_account_on_record';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER a_statement_is_of_an_account_on_record BEFORE INSERT ON bank_statement
            FOR EACH ROW EXECUTE FUNCTION a_statement_is_of_an_account_on_record();
        """
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER a_statement_is_of_an_account_on_record ON bank_statement")
    op.drop_table("payee_account")
    op.execute("DROP FUNCTION a_statement_is_of_an_account_on_record, a_recorded_account_stays")
