"""A sub-merchant that takes no orders any more owes bills as long as money can still come back through it, and no longer."""

from alembic import op

revision = "0069"
down_revision = "0068"


def upgrade() -> None:
    _ends()
    _days(
        ended="""
                UNION ALL
                SELECT id, daterange(through + 1, closed.day + 1)
                FROM begun, (SELECT max(day) AS day FROM accounting_day) AS closed WHERE through < closed.day
                UNION ALL
                SELECT id, daterange(day, day + 1) FROM begun, quiet_days(id) AS day""",
        through="bills_due_through(id)",
        is_done="signed.id IS NOT NULL OR due.day IN (SELECT quiet_days(channel.id))",
    )


def _ends() -> None:
    """WeChat gives money back within 365 days of its payment, and tells of it on the day on which it did.

    Until then its bills are due, from the day after the end without anybody's word where they say that nothing was.
    """
    op.execute(
        """
        CREATE FUNCTION bills_due_through(a_channel bigint) RETURNS date LANGUAGE sql STABLE AS $$
            SELECT CASE WHEN upper(valid) IS NOT NULL AND NOT EXISTS (
                SELECT FROM refund WHERE channel_id = a_channel AND way = 'channel'
                AND state NOT IN ('rejected', 'closed', 'success')
            ) THEN greatest(
                (upper(valid) AT TIME ZONE 'Asia/Shanghai')::date + 1,
                (SELECT (max(paid_at) AT TIME ZONE 'Asia/Shanghai')::date + 365 FROM payment WHERE channel_id = a_channel),
                (SELECT (max(moved_at) AT TIME ZONE 'Asia/Shanghai')::date + 1 FROM refund WHERE channel_id = a_channel)
            ) END
            FROM merchant_channel WHERE id = a_channel
        $$;
        CREATE FUNCTION quiet_days(a_channel bigint) RETURNS SETOF date LANGUAGE sql STABLE AS $$
            SELECT due.day
            FROM merchant_channel channel JOIN bill_day due ON due.channel_id = channel.id
                AND due.day > (upper(valid) AT TIME ZONE 'Asia/Shanghai')::date
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
        $$;
        CREATE FUNCTION a_sub_merchant_passes_on_when_nothing_of_it_is_open() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (
                SELECT FROM merchant_channel former
                WHERE former.sub_mchid = NEW.sub_mchid AND former.id <> NEW.id AND former.valid << NEW.valid
                  AND coalesce(bills_due_through(former.id), 'infinity')
                      >= (lower(NEW.valid) AT TIME ZONE 'Asia/Shanghai')::date
            ) THEN
                RAISE EXCEPTION 'WeChat may still tell of what another payee had through %', NEW.sub_mchid
                    USING ERRCODE = 'integrity_constraint_violation',
                          CONSTRAINT = 'a_sub_merchant_passes_on_when_nothing_of_it_is_open';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER a_sub_merchant_passes_on_when_nothing_of_it_is_open
            BEFORE INSERT OR UPDATE OF valid ON merchant_channel
            FOR EACH ROW EXECUTE FUNCTION a_sub_merchant_passes_on_when_nothing_of_it_is_open()
        """
    )


def _days(ended: str, through: str, is_done: str) -> None:
    """Days of a payee that every merchant has signed off; the last one without a hole before it."""
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION signed_off_days(a_payee bigint) RETURNS datemultirange LANGUAGE sql STABLE AS $$
            WITH begun AS (
                SELECT id, (lower(valid) AT TIME ZONE 'Asia/Shanghai')::date AS opened, {through} AS through
                FROM merchant_channel WHERE payee_id = a_payee AND valid IS NOT NULL
            ), told AS (
                SELECT id, daterange((SELECT min(opened) FROM begun), opened) AS span FROM begun
                UNION ALL
                SELECT channel_id, daterange(day, day + 1)
                FROM day_sign_off WHERE channel_id IN (SELECT id FROM begun){ended}
            )
            SELECT range_intersect_agg(days) FROM (SELECT range_agg(span) AS days FROM told GROUP BY id) AS each
        $$;
        CREATE OR REPLACE FUNCTION signed_off_through(a_payee bigint) RETURNS date LANGUAGE sql STABLE AS $$
            WITH merchant AS (
                SELECT CASE WHEN first_open IS NULL AND through <= last_due THEN NULL
                       ELSE coalesce(first_open - 1, last_due,
                                     (lower(valid) AT TIME ZONE 'Asia/Shanghai')::date - 1) END AS through
                FROM merchant_channel channel
                CROSS JOIN LATERAL (SELECT {through} AS through) AS ending
                CROSS JOIN LATERAL (
                    SELECT min(due.day) FILTER (WHERE NOT ({is_done})) AS first_open, max(due.day) AS last_due
                    FROM bill_day due LEFT JOIN day_sign_off signed USING (channel_id, day)
                    WHERE due.channel_id = channel.id
                ) AS days
                WHERE channel.payee_id = a_payee AND valid IS NOT NULL
            )
            SELECT coalesce(min(through), (SELECT max(day) FROM accounting_day)) FROM merchant HAVING count(*) > 0
        $$
        """
    )


def downgrade() -> None:
    _days("", "NULL::date", "signed.id IS NOT NULL")
    op.execute(
        "DROP TRIGGER a_sub_merchant_passes_on_when_nothing_of_it_is_open ON merchant_channel; "
        "DROP FUNCTION a_sub_merchant_passes_on_when_nothing_of_it_is_open, quiet_days, bills_due_through"
    )
