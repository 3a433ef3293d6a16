"""A receipt says since when its motorist is to hear of it."""

import sqlalchemy as sa
from alembic import op

from migrations.words import grant

revision = "0047"
down_revision = "0046"

FORMER = ("state", "next_check_at", "attempts", "code", "number", "check_code", "issued_at", "refusal")


def upgrade() -> None:
    op.add_column("receipt", sa.Column("news_at", sa.DateTime(timezone=True), nullable=True))
    news = sa.text("news_at IS NOT NULL")
    op.create_index("ix_receipt_news_at", "receipt", ["news_at"], postgresql_where=news)
    grant("UPDATE (news_at)", "receipt")
    _may_change(*FORMER, "news_at")


def _may_change(*columns: str) -> None:
    kept = ", ".join(f"'{column}'" for column in columns)
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION receipt_says_the_same() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - ARRAY[{kept}] = to_jsonb(OLD) - ARRAY[{kept}]
               AND (OLD.number IS NULL OR (OLD.number, OLD.code) IS NOT DISTINCT FROM (NEW.number, NEW.code)) THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'what a receipt says is fixed'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'receipt_says_the_same';
        END $$
        """
    )


def downgrade() -> None:
    _may_change(*FORMER)
    op.drop_index("ix_receipt_news_at", "receipt")
    op.drop_column("receipt", "news_at")
