"""A sub-merchant that ended by mistake takes orders again when two persons say so; its times may have a gap then."""

import sqlalchemy as sa
from alembic import op

from migrations.words import change_written_down, grant, written_down

revision = "0079"
down_revision = "0078"

MOMENT = sa.DateTime(timezone=True)
TOLD = ("payee_id", "sp_mchid", "sub_mchid", "opened_by", "confirmed_by", "valid")
DECISION = ("state", "decided_by", "decided_at", "decided_because")
ONLY_ENDS = (
    "UPDATE OF valid ON merchant_channel FOR EACH ROW WHEN (OLD.valid IS NOT NULL) EXECUTE FUNCTION refuse_stretching()"
)
ENDS_OR_IS_REOPENED = """UPDATE OF valid, reopened ON merchant_channel FOR EACH ROW
    WHEN (OLD.valid IS NOT NULL OR NEW.reopened <> OLD.reopened) EXECUTE FUNCTION a_channel_only_ends_or_is_reopened()"""
PASSES_ON = """INSERT OR UPDATE OF valid ON merchant_channel
    FOR EACH ROW EXECUTE FUNCTION a_sub_merchant_passes_on_when_nothing_of_it_is_open()"""
AFTER_ITS_END = "due.day > (upper(valid) AT TIME ZONE 'Asia/Shanghai')::date"
OUTSIDE_ITS_TIMES = """NOT valid && tstzrange(due.day::timestamp AT TIME ZONE 'Asia/Shanghai',
                                               (due.day + 1)::timestamp AT TIME ZONE 'Asia/Shanghai')"""


def upgrade() -> None:
    _reopenings()
    op.add_column("merchant_channel", sa.Column("reopened", sa.SmallInteger, nullable=False, server_default="0"))
    op.alter_column("merchant_channel", "reopened", server_default=None)
    _only_ends_or_is_reopened()
    _valid("tstzmultirange", "tstzmultirange(valid)", ENDS_OR_IS_REOPENED)
    _confirmed_once("valid", "reopened")
    grant("UPDATE (reopened)", "merchant_channel")
    _quiet_days(OUTSIDE_ITS_TIMES)


def _reopenings() -> None:
    op.create_table(
        "channel_reopening",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid, nullable=False),
        sa.Column("channel_id", sa.BigInteger, nullable=False), sa.Column("payee_id", sa.BigInteger, nullable=False),
        sa.Column("number", sa.SmallInteger, nullable=False), sa.Column("because", sa.Text, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False), sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("state", sa.Text, nullable=False), sa.Column("decided_by", sa.Text), sa.Column("decided_at", MOMENT),
        sa.Column("decided_because", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_channel_reopening"),
        sa.UniqueConstraint("key", name="uq_channel_reopening_key"),
        sa.ForeignKeyConstraint(
            ["channel_id", "payee_id"], ["merchant_channel.id", "merchant_channel.payee_id"],
            name="a_reopening_is_of_one_payees_channel",
        ),
        sa.CheckConstraint("state IN ('waiting', 'accepted', 'rejected')", name="a_reopening_is_in_a_known_state"),
        sa.CheckConstraint("decided_by <> made_by", name="a_reopening_is_decided_by_another_person"),
        sa.CheckConstraint(
            "num_nonnulls(decided_by, decided_at, decided_because) = CASE state WHEN 'waiting' THEN 0 ELSE 3 END",
            name="a_decided_reopening_says_how_and_why",
        ),
        sa.CheckConstraint("because <> '' AND decided_because <> ''", name="a_reopening_says_something"),
    )  # fmt: skip
    op.create_index(
        "a_channel_is_reopened_once_at_a_time", "channel_reopening", ["channel_id", "number"], unique=True,
        postgresql_where=sa.text("state <> 'rejected'"),
    )  # fmt: skip
    grant(f"SELECT, INSERT, UPDATE ({', '.join(DECISION)})", "channel_reopening")
    changing = ", ".join(f"'{column}'" for column in DECISION)
    op.execute(
        f"""
        CREATE TRIGGER channel_reopening_says_the_same BEFORE UPDATE OR DELETE ON channel_reopening
            FOR EACH ROW EXECUTE FUNCTION only_these_change({changing});
        CREATE TRIGGER channel_reopening_is_decided_once BEFORE UPDATE ON channel_reopening
            FOR EACH ROW WHEN (OLD.state <> 'waiting') EXECUTE FUNCTION only_these_change();
        CREATE TRIGGER channel_reopening_is_never_emptied BEFORE TRUNCATE ON channel_reopening
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
        CREATE FUNCTION an_accepted_reopening_is_done() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.number > (SELECT reopened FROM merchant_channel WHERE id = NEW.channel_id) THEN
                RAISE EXCEPTION 'channel % was not reopened', NEW.channel_id
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'an_accepted_reopening_is_done';
            END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER an_accepted_reopening_is_done AFTER INSERT OR UPDATE ON channel_reopening
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.state = 'accepted')
            EXECUTE FUNCTION an_accepted_reopening_is_done()
        """
    )
    written_down(
        "channel_reopening", "channel_id", "payee_id", "number", "state", "made_by", "decided_by", moving="state"
    )


def _only_ends_or_is_reopened() -> None:
    """Either its last time ends sooner, or the next reopening that was accepted adds the time from its decision on.

    Only while its bills are still due: later its number may be another's, and is opened anew.
    """
    op.execute(
        """
        CREATE FUNCTION a_channel_only_ends_or_is_reopened() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            ends_sooner boolean := NEW.reopened = OLD.reopened AND NOT isempty(NEW.valid)
                AND NEW.valid = OLD.valid * tstzmultirange(tstzrange(NULL, upper(NEW.valid)))
                AND (SELECT count(*) FROM unnest(NEW.valid)) = (SELECT count(*) FROM unnest(OLD.valid));
            is_reopened boolean := NEW.reopened = OLD.reopened + 1 AND upper(OLD.valid) IS NOT NULL AND EXISTS (
                SELECT FROM channel_reopening asked
                WHERE channel_id = NEW.id AND number = NEW.reopened AND state = 'accepted'
                  AND NEW.valid = OLD.valid + tstzmultirange(tstzrange(decided_at, NULL))
                  AND coalesce(bills_due_through(NEW.id), 'infinity')
                      >= (decided_at AT TIME ZONE 'Asia/Shanghai')::date
            );
        BEGIN
            IF ends_sooner OR is_reopened THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'channel % may end, or be reopened by two persons, and no more', OLD.id
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'merchant_channel_only_ends';
        END $$
        """
    )


def _valid(kind: str, told: str, guard: str) -> None:
    """Whatever looks at the column looks at it anew."""
    guards = {
        "merchant_channel_only_ends": guard, "a_sub_merchant_passes_on_when_nothing_of_it_is_open": PASSES_ON,
    }  # fmt: skip
    for name in (*guards, "merchant_channel_is_written_down", "merchant_channel_valid_is_written_down"):
        op.execute(f"DROP TRIGGER {name} ON merchant_channel")
    op.execute(f"ALTER TABLE merchant_channel ALTER COLUMN valid TYPE {kind} USING {told}")
    for name, deed in guards.items():
        op.execute(f"CREATE TRIGGER {name} BEFORE {deed}")
    written_down("merchant_channel", *TOLD)
    change_written_down("merchant_channel", "valid", *TOLD)


def _confirmed_once(*changing: str) -> None:
    fixed, kept = ", ".join(f"'{column}'" for column in changing), "'confirmed_by', 'confirmed_at'"
    op.execute(
        f"""
        DROP TRIGGER merchant_channel_is_confirmed_once ON merchant_channel;
        DROP TRIGGER merchant_channel_says_the_same ON merchant_channel;
        CREATE TRIGGER merchant_channel_says_the_same BEFORE UPDATE OR DELETE ON merchant_channel
            FOR EACH ROW EXECUTE FUNCTION only_these_change({kept}, {fixed});
        CREATE TRIGGER merchant_channel_is_confirmed_once BEFORE UPDATE ON merchant_channel FOR EACH ROW
            WHEN (OLD.confirmed_by IS NOT NULL) EXECUTE FUNCTION only_these_change({fixed})
        """
    )


def _quiet_days(when: str) -> None:
    """Days without orders of which WeChat's bills tell nothing, and no person brought them: nobody signs them."""
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION quiet_days(a_channel bigint) RETURNS SETOF date LANGUAGE sql STABLE AS $$
            SELECT due.day
            FROM merchant_channel channel JOIN bill_day due ON due.channel_id = channel.id
                AND {when}
            WHERE channel.id = a_channel
              AND EXISTS (SELECT FROM recon_run run WHERE run.channel_id = channel.id AND run.day = due.day)
              AND NOT EXISTS (
                  SELECT FROM difference found
                  WHERE found.channel_id = channel.id AND found.day = due.day AND found.state <> 'gone'
              )
            GROUP BY due.day
            HAVING count(*) = 2 AND bool_and(coalesce((
                SELECT file.state = 'empty' AND NOT EXISTS (SELECT FROM bill_by_hand WHERE bill_id = file.id)
                FROM bill_file file WHERE file.day_id = due.id AND file.state IN ('loaded', 'empty')
                ORDER BY file.version DESC LIMIT 1
            ), false))
        $$
        """
    )


def downgrade() -> None:
    """Only where no channel was reopened: a span has no gap."""
    op.execute("ALTER TABLE merchant_channel ADD CONSTRAINT no_channel_was_reopened CHECK (reopened = 0)")
    _quiet_days(AFTER_ITS_END)
    op.execute("REVOKE UPDATE (reopened) ON merchant_channel FROM app_rw")
    _confirmed_once("valid")
    _valid("tstzrange", "range_merge(valid)", ONLY_ENDS)
    op.execute("DROP FUNCTION a_channel_only_ends_or_is_reopened")
    op.drop_column("merchant_channel", "reopened")
    op.drop_table("channel_reopening")
    op.execute("DROP FUNCTION an_accepted_reopening_is_done")
