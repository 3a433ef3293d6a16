"""The item on a fiscal bill is the one under which the money is paid in."""

import sqlalchemy as sa
from alembic import op

revision = "0071"
down_revision = "0070"


def upgrade() -> None:
    """Terms that named another item before may end; new ones do not come in."""
    op.create_unique_constraint("a_payee_is_known_by_its_item", "payee", ["id", "item_code"])
    op.add_column(
        "receipt_terms",
        sa.Column(
            "fiscal_item", sa.Text, sa.Computed("CASE WHEN regime = 'TREASURY' THEN item_code END", persisted=True)
        ),
    )
    op.create_foreign_key(
        "fiscal_terms_name_their_payees_item", "receipt_terms", "payee", ["payee_id", "fiscal_item"],
        ["id", "item_code"], postgresql_not_valid=True,
    )  # fmt: skip
    _fixed("'valid', 'confirmed_by', 'confirmed_at', 'fiscal_item'")
    _confirmed()


def _fixed(changing: str) -> None:
    """What is computed is not known yet before a row is written."""
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION receipt_terms_says_the_same() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - ARRAY[{changing}] = to_jsonb(OLD) - ARRAY[{changing}]
               AND (OLD.confirmed_by IS NULL OR OLD.confirmed_by IS NOT DISTINCT FROM NEW.confirmed_by) THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'what a receipt_terms says is fixed'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'receipt_terms_says_the_same';
        END $$
        """
    )


def _confirmed() -> None:
    """A foreign key does not look at an old row again when somebody vouches for it."""
    op.execute(
        """
        CREATE FUNCTION confirmed_terms_name_their_payees_item() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.item_code IS DISTINCT FROM (SELECT item_code FROM payee WHERE id = NEW.payee_id) THEN
                RAISE EXCEPTION 'terms % name another item than their payee', NEW.id
                    USING ERRCODE = 'integrity_constraint_violation',
                          CONSTRAINT = 'confirmed_terms_name_their_payees_item';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER confirmed_terms_name_their_payees_item BEFORE UPDATE OF confirmed_by ON receipt_terms
            FOR EACH ROW WHEN (NEW.regime = 'TREASURY')
            EXECUTE FUNCTION confirmed_terms_name_their_payees_item()
        """
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER confirmed_terms_name_their_payees_item ON receipt_terms")
    op.execute("DROP FUNCTION confirmed_terms_name_their_payees_item")
    _fixed("'valid', 'confirmed_by', 'confirmed_at'")
    op.drop_constraint("fiscal_terms_name_their_payees_item", "receipt_terms")
    op.drop_column("receipt_terms", "fiscal_item")
    op.drop_constraint("a_payee_is_known_by_its_item", "payee")
