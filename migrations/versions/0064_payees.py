"""Payees and their channels hold for a time, and a second person confirms what one has written down."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.words import append_only, change_written_down, grant, written_down

revision = "0064"
down_revision = "0063"

MOMENT = sa.DateTime(timezone=True)
TOLD = {
    "payee": ("regime", "level", "collecting_unit_code", "item_code", "tax_number"),
    "merchant_channel": ("payee_id", "sp_mchid", "sub_mchid"),
}
BY_TWO = {
    "payee": (*TOLD["payee"], "opened_by", "valid"),
    "merchant_channel": (*TOLD["merchant_channel"], "opened_by", "confirmed_by", "valid"),
}
BEGUN = "lower(channel.valid)"
ENTERED = "channel.opened_at"


def upgrade() -> None:
    _only_what_may_change()
    _payees()
    _confirmations()
    _channels()
    _lots()
    _days(BEGUN, "AND channel.valid IS NOT NULL")
    for table, columns in BY_TWO.items():
        op.execute(f"DROP TRIGGER {table}_is_written_down ON {table}")
        written_down(table, *columns)
        change_written_down(table, "valid", *columns)


def _only_what_may_change() -> None:
    """For a table in whose rows only the columns named change, and of which none is removed."""
    op.execute(
        """
        CREATE FUNCTION only_these_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - TG_ARGV::text[] = to_jsonb(OLD) - TG_ARGV::text[] THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'what a % says is fixed', TG_TABLE_NAME
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_TABLE_NAME || '_says_the_same';
        END $$
        """
    )


def _payees() -> None:
    """Those that are there are there since ever; who opened them stands in the audit log, and does not confirm them."""
    op.execute("DROP TRIGGER payee_rows_never_change ON payee")
    op.add_column("payee", sa.Column("opened_by", sa.Text, nullable=False, server_default="unrecorded"))
    op.add_column("payee", sa.Column("valid", postgresql.TSTZRANGE, nullable=False, server_default="(,)"))
    for column in ("opened_by", "valid"):
        op.alter_column("payee", column, server_default=None)
    op.execute(
        """
        UPDATE payee SET opened_by = told.actor FROM audit_entry told
        WHERE told.subject = 'payee' AND told.subject_id = payee.id AND told.action = 'payee.open'
          AND NOT EXISTS (SELECT FROM payee_confirmation WHERE payee_id = payee.id)
        """
    )
    op.create_unique_constraint("a_payee_was_opened_by_one_person", "payee", ["id", "opened_by"])
    op.create_check_constraint("a_payee_is_there_for_some_time", "payee", "NOT isempty(valid)")
    _fixed("payee", "valid", "purse")
    _ends("payee")
    grant("UPDATE (valid)", "payee")


def _confirmations() -> None:
    """What one person confirmed before stays confirmed."""
    op.add_column("payee_confirmation", sa.Column("opened_by", sa.Text, nullable=False, server_default="unrecorded"))
    op.alter_column("payee_confirmation", "opened_by", server_default=None)
    op.create_check_constraint(
        "a_payee_is_confirmed_by_another_person", "payee_confirmation", "confirmed_by <> opened_by"
    )
    op.create_foreign_key(
        "a_confirmation_knows_who_opened_the_payee", "payee_confirmation", "payee", ["payee_id", "opened_by"],
        ["id", "opened_by"],
    )  # fmt: skip


def _channels() -> None:
    """Those that are there take orders until the next of their payee was opened."""
    op.execute("DROP TRIGGER merchant_channel_rows_never_change ON merchant_channel")
    op.add_column(
        "merchant_channel", sa.Column("key", sa.Uuid, nullable=False, server_default=sa.text("gen_random_uuid()"))
    )
    op.add_column("merchant_channel", sa.Column("opened_by", sa.Text, nullable=False, server_default="unrecorded"))
    for column in ("key", "opened_by"):
        op.alter_column("merchant_channel", column, server_default=None)
    op.add_column("merchant_channel", sa.Column("since", MOMENT, nullable=True))
    op.add_column("merchant_channel", sa.Column("confirmed_by", sa.Text, nullable=True))
    op.add_column("merchant_channel", sa.Column("confirmed_at", MOMENT, nullable=True))
    op.add_column("merchant_channel", sa.Column("valid", postgresql.TSTZRANGE, nullable=True))
    op.execute(
        """
        UPDATE merchant_channel SET since = opened_at, confirmed_by = 'before a second person was asked',
            confirmed_at = opened_at, valid = tstzrange(opened_at, next.opened)
        FROM (SELECT id, lead(opened_at) OVER (PARTITION BY payee_id ORDER BY id) AS opened FROM merchant_channel) next
        WHERE next.id = merchant_channel.id
        """
    )
    op.alter_column("merchant_channel", "since", nullable=False)
    op.create_unique_constraint("uq_merchant_channel_key", "merchant_channel", ["key"])
    op.drop_constraint("a_sub_merchant_belongs_to_one_payee", "merchant_channel")
    for name, column in {
        "a_sub_merchant_belongs_to_one_payee": "sub_mchid", "a_payee_has_one_channel_at_a_time": "payee_id",
    }.items():  # fmt: skip
        op.create_exclude_constraint(name, "merchant_channel", (column, "="), ("valid", "&&"), using="gist")
    for name, holds in {
        "a_channel_is_confirmed_by_another_person": "confirmed_by <> opened_by",
        "a_channel_is_valid_once_confirmed": "num_nonnulls(confirmed_by, confirmed_at, valid) IN (0, 3)",
        "a_channel_is_valid_for_some_time": "NOT isempty(valid) AND lower_inc(valid)",
    }.items():
        op.create_check_constraint(name, "merchant_channel", holds)
    _fixed("merchant_channel", "confirmed_by", "confirmed_at", "valid")
    op.execute(
        "CREATE TRIGGER merchant_channel_is_confirmed_once BEFORE UPDATE ON merchant_channel FOR EACH ROW "
        "WHEN (OLD.confirmed_by IS NOT NULL) EXECUTE FUNCTION only_these_change('valid')"
    )
    _ends("merchant_channel", "WHEN (OLD.valid IS NOT NULL)")
    grant("UPDATE (confirmed_by, confirmed_at, valid)", "merchant_channel")


def _fixed(table: str, *changing: str) -> None:
    told = ", ".join(f"'{column}'" for column in changing)
    op.execute(
        f"CREATE TRIGGER {table}_says_the_same BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION only_these_change({told})"
    )


def _ends(table: str, when: str = "") -> None:
    op.execute(
        f"CREATE TRIGGER {table}_only_ends BEFORE UPDATE OF valid ON {table} "
        f"FOR EACH ROW {when} EXECUTE FUNCTION refuse_stretching()"
    )


def _lots() -> None:
    """A lot names a payee only for a time in which it is there, whichever of the two is changed, or both at once."""
    op.execute(
        """
        CREATE FUNCTION a_lot_names_a_payee_that_is_there() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            there tstzrange;
        BEGIN
            SELECT valid INTO there FROM payee WHERE id = NEW.payee_id FOR SHARE;
            IF NOT NEW.valid <@ there THEN
                RAISE EXCEPTION 'payee % is not there for all of %', NEW.payee_id, NEW.valid
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_lot_names_a_payee_that_is_there';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER a_lot_names_a_payee_that_is_there BEFORE INSERT ON lot_payee
            FOR EACH ROW EXECUTE FUNCTION a_lot_names_a_payee_that_is_there();
        CREATE FUNCTION a_payee_that_a_lot_names_does_not_end() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (SELECT FROM lot_payee WHERE payee_id = NEW.id AND NOT valid <@ NEW.valid) THEN
                RAISE EXCEPTION 'a lot names payee % beyond %', NEW.id, NEW.valid
                    USING ERRCODE = 'integrity_constraint_violation',
                          CONSTRAINT = 'a_payee_that_a_lot_names_does_not_end';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER a_payee_that_a_lot_names_does_not_end BEFORE UPDATE OF valid ON payee
            FOR EACH ROW EXECUTE FUNCTION a_payee_that_a_lot_names_does_not_end()
        """
    )


def _days(since: str, confirmed: str) -> None:
    """Days that every merchant of a payee has signed off, from when on it takes orders."""
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION signed_off_days(a_payee bigint) RETURNS datemultirange LANGUAGE sql STABLE AS $$
            WITH begun AS (
                SELECT id, ({since} AT TIME ZONE 'Asia/Shanghai')::date AS opened
                FROM merchant_channel channel WHERE payee_id = a_payee {confirmed}
            ), told AS (
                SELECT id, daterange((SELECT min(opened) FROM begun), opened) AS span FROM begun
                UNION ALL
                SELECT channel_id, daterange(day, day + 1)
                FROM day_sign_off WHERE channel_id IN (SELECT id FROM begun)
            )
            SELECT range_intersect_agg(days) FROM (SELECT range_agg(span) AS days FROM told GROUP BY id) AS each
        $$;
        CREATE OR REPLACE FUNCTION signed_off_through(a_payee bigint) RETURNS date LANGUAGE sql STABLE AS $$
            SELECT min(coalesce(days.first_open - 1, days.last_signed,
                                ({since} AT TIME ZONE 'Asia/Shanghai')::date - 1))
            FROM merchant_channel channel
            CROSS JOIN LATERAL (
                SELECT min(due.day) FILTER (WHERE signed.id IS NULL) AS first_open, max(signed.day) AS last_signed
                FROM bill_day due LEFT JOIN day_sign_off signed USING (channel_id, day)
                WHERE due.channel_id = channel.id
            ) AS days
            WHERE channel.payee_id = a_payee {confirmed}
        $$
        """
    )


def downgrade() -> None:
    """Only where no sub-merchant has passed from one payee to another, and none waits for a second person."""
    for table, columns in TOLD.items():
        op.execute(f"DROP TRIGGER {table}_valid_is_written_down ON {table}")
        op.execute(f"DROP TRIGGER {table}_is_written_down ON {table}")
        written_down(table, *columns)
    _days(ENTERED, "")
    op.execute(
        "DROP TRIGGER a_payee_that_a_lot_names_does_not_end ON payee; "
        "DROP TRIGGER a_lot_names_a_payee_that_is_there ON lot_payee; "
        "DROP FUNCTION a_payee_that_a_lot_names_does_not_end, a_lot_names_a_payee_that_is_there"
    )
    op.execute("REVOKE UPDATE (confirmed_by, confirmed_at, valid) ON merchant_channel FROM app_rw")
    op.execute("REVOKE UPDATE (valid) ON payee FROM app_rw")
    op.execute("DROP TRIGGER merchant_channel_is_confirmed_once ON merchant_channel")
    for table in ("payee", "merchant_channel"):
        for trigger in ("says_the_same", "only_ends", "is_never_emptied"):
            op.execute(f"DROP TRIGGER {table}_{trigger} ON {table}")
    for column in ("key", "opened_by", "since", "confirmed_by", "confirmed_at", "valid"):
        op.drop_column("merchant_channel", column)
    op.create_unique_constraint("a_sub_merchant_belongs_to_one_payee", "merchant_channel", ["sub_mchid"])
    op.drop_column("payee_confirmation", "opened_by")
    for column in ("opened_by", "valid"):
        op.drop_column("payee", column)
    append_only("payee", "merchant_channel")
    op.execute("DROP FUNCTION only_these_change")
