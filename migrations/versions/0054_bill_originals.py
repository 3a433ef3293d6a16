"""The bytes of a bill as WeChat gave them, sealed beside its lines, until their term is over."""

import sqlalchemy as sa
from alembic import op

from migrations.words import grant

revision = "0054"
down_revision = "0053"

MOMENT = sa.DateTime(timezone=True)
TABLES = ("bill_original", "bill_original_piece")


def upgrade() -> None:
    op.create_table(
        "bill_original",
        sa.Column("bill_id", sa.BigInteger, sa.ForeignKey("bill_file.id"), primary_key=True, autoincrement=False),
        sa.Column("kept_until", MOMENT, nullable=False),
        sa.Column("erased_at", MOMENT, nullable=True),
        sa.CheckConstraint("erased_at >= kept_until", name="an_original_is_kept_for_its_term"),
    )
    kept = sa.text("erased_at IS NULL")
    op.create_index("ix_bill_original_kept_until", "bill_original", ["kept_until"], postgresql_where=kept)
    op.create_table(
        "bill_original_piece",
        sa.Column(
            "bill_id", sa.BigInteger, sa.ForeignKey("bill_original.bill_id"), primary_key=True, autoincrement=False
        ),
        *(sa.Column(name, sa.BigInteger, primary_key=True, autoincrement=False) for name in ("part", "number")),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    op.execute("ALTER TABLE bill_original_piece ALTER COLUMN sealed SET STORAGE EXTERNAL")
    grant("SELECT, INSERT, UPDATE (erased_at)", "bill_original")
    grant("SELECT, INSERT, DELETE", "bill_original_piece")
    _comes_with_its_bill()
    _goes_after_its_term()


def _comes_with_its_bill() -> None:
    """In the transaction that writes the bill, and with every loaded bill from now on."""
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER {table}_is_written_at_once AFTER INSERT ON {table} REFERENCING NEW TABLE AS added "
            "FOR EACH STATEMENT EXECUTE FUNCTION a_bill_is_written_at_once()"
        )
    op.execute(
        """
        CREATE FUNCTION a_loaded_bill_keeps_its_original() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (SELECT 1 FROM bill_original_piece WHERE bill_id = NEW.id) THEN
                RAISE EXCEPTION 'bill % comes without its original', NEW.id
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_loaded_bill_keeps_its_original';
            END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER a_loaded_bill_keeps_its_original AFTER INSERT ON bill_file
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.state = 'loaded')
            EXECUTE FUNCTION a_loaded_bill_keeps_its_original();
        """
    )


def _goes_after_its_term() -> None:
    """Nothing of it changes; a piece goes when its original was erased, which a CHECK lets happen after the term alone."""
    op.execute(
        """
        CREATE FUNCTION an_original_stays_as_it_is() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'bill_original_piece'
               AND EXISTS (SELECT 1 FROM bill_original WHERE bill_id = OLD.bill_id AND erased_at IS NOT NULL) THEN
                RETURN OLD;
            END IF;
            IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'bill_original'
               AND to_jsonb(OLD) - 'erased_at' = to_jsonb(NEW) - 'erased_at' AND to_jsonb(OLD) ->> 'erased_at' IS NULL THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'an original of a bill stays as it is until its term is over'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'an_original_stays_as_it_is';
        END $$
        """
    )
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER {table}_stays_as_it_is BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION an_original_stays_as_it_is()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_is_never_emptied BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    op.execute("DROP TRIGGER a_loaded_bill_keeps_its_original ON bill_file")
    for table in reversed(TABLES):
        op.drop_table(table)
    op.execute("DROP FUNCTION a_loaded_bill_keeps_its_original, an_original_stays_as_it_is")
