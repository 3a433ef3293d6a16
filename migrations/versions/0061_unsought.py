"""What was rendered before WeChat wanted to know of it is found again when it does."""

import sqlalchemy as sa
from alembic import op

from migrations.words import grant

revision = "0061"
down_revision = "0060"


def upgrade() -> None:
    op.add_column("trade_management", sa.Column("managed_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("trade_management", sa.Column("unsought_before", sa.BigInteger, nullable=True))
    op.execute(
        "UPDATE trade_management SET managed_since = asked_at, "
        "unsought_before = (SELECT coalesce(max(id), 0) + 1 FROM payment) WHERE managed"
    )
    holds = "managed = (managed_since IS NOT NULL)"
    op.create_check_constraint("a_rule_on_trade_holds_since_some_moment", "trade_management", holds)
    op.create_check_constraint("nothing_unwanted_is_sought", "trade_management", "managed OR unsought_before IS NULL")
    grant("UPDATE (managed_since, unsought_before)", "trade_management")


def downgrade() -> None:
    for column in ("unsought_before", "managed_since"):
        op.drop_column("trade_management", column)
