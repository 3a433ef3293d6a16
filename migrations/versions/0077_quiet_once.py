"""Which days of a merchant were quiet is asked once for the merchant, not for each of its days."""

from alembic import op

revision = "0077"
down_revision = "0076"

ONCE = """CROSS JOIN LATERAL (SELECT array_agg(day) AS days FROM quiet_days(channel.id) AS day) AS quiet
                """


def upgrade() -> None:
    _through(ONCE, "coalesce(due.day = ANY(quiet.days), false)")


def _through(once: str, is_quiet: str) -> None:
    """The last day of a payee up to which every merchant has its days signed off or quiet, without a hole."""
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION signed_off_through(a_payee bigint) RETURNS date LANGUAGE sql STABLE AS $$
            WITH merchant AS (
                SELECT CASE WHEN first_open IS NULL AND through <= last_due THEN NULL
                       ELSE coalesce(first_open - 1, last_due,
                                     (lower(valid) AT TIME ZONE 'Asia/Shanghai')::date - 1) END AS through
                FROM merchant_channel channel
                CROSS JOIN LATERAL (SELECT bills_due_through(id) AS through) AS ending
                {once}CROSS JOIN LATERAL (
                    SELECT min(due.day) FILTER (WHERE signed.id IS NULL AND NOT {is_quiet}) AS first_open,
                           max(due.day) AS last_due
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
    _through("", "due.day IN (SELECT quiet_days(channel.id))")
