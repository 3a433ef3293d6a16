"""At which rate WeChat's fee was agreed for a merchant, from which day on: recorded by one person, confirmed by another."""

import sqlalchemy as sa
from alembic import op

from migrations.words import grant, written_down

revision = "0050"
down_revision = "0049"


def upgrade() -> None:
    op.create_table(
        "agreed_rate",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("key", sa.Uuid, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("channel_id", "payee_id")),
        sa.Column("since", sa.Date, nullable=False),
        sa.Column("rate_ppm", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("note", "recorded_by")),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_by", sa.Text, nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.UniqueConstraint("key", name="uq_agreed_rate_key"),
        sa.ForeignKeyConstraint(
            ["channel_id", "payee_id"],
            ["merchant_channel.id", "merchant_channel.payee_id"],
            name="an_agreed_rate_is_of_its_payees_channel",
        ),
        sa.CheckConstraint("rate_ppm BETWEEN 0 AND 20000", name="an_agreed_rate_is_up_to_two_percent"),
        sa.CheckConstraint("note <> ''", name="an_agreed_rate_names_its_basis"),
        sa.CheckConstraint("confirmed_by <> recorded_by", name="an_agreed_rate_is_confirmed_by_another_person"),
        sa.CheckConstraint("(confirmed_by IS NULL) = (confirmed_at IS NULL)", name="a_confirmed_rate_has_its_time"),
    )
    confirmed = sa.text("confirmed_by IS NOT NULL")
    once = ["channel_id", "since"]
    op.create_index("a_merchant_agrees_one_rate_a_day", "agreed_rate", once, unique=True, postgresql_where=confirmed)
    grant("SELECT, INSERT, UPDATE (confirmed_by, confirmed_at)", "agreed_rate")
    op.execute(
        """
        CREATE FUNCTION an_agreed_rate_stays() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND OLD.confirmed_by IS NULL
               AND to_jsonb(NEW) - ARRAY['confirmed_by', 'confirmed_at']
                   = to_jsonb(OLD) - ARRAY['confirmed_by', 'confirmed_at'] THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'an agreed rate is confirmed once and never rewritten'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'an_agreed_rate_stays';
        END $$;
        CREATE TRIGGER an_agreed_rate_stays BEFORE UPDATE OR DELETE ON agreed_rate
            FOR EACH ROW EXECUTE FUNCTION an_agreed_rate_stays();
        """
    )
    told = ("channel_id", "since", "rate_ppm", "recorded_by", "confirmed_by")
    written_down("agreed_rate", *told, moving="confirmed_by")


def downgrade() -> None:
    op.drop_table("agreed_rate")
    op.execute("DROP FUNCTION an_agreed_rate_stays")
