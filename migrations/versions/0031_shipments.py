"""What WeChat must be told so that it does not withhold money (发货信息管理)."""

import sqlalchemy as sa
from alembic import op

from migrations.words import follows_graph, forget_graph, grant, graph

revision = "0031"
down_revision = "0030"

MOMENT = sa.DateTime(timezone=True)
SHIPMENT = (("", "born", "due"), ("due", "report", "reported"), ("due", "refuse", "refused"))


def upgrade() -> None:
    op.create_table(
        "shipment",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("payment_id", sa.BigInteger, sa.ForeignKey("payment.id"), nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("rendered_at", MOMENT, nullable=False),
        sa.Column("next_check_at", MOMENT, nullable=True),
        sa.Column("attempts", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("errcode", sa.BigInteger, nullable=True),
        sa.UniqueConstraint("payment_id", name="a_payment_is_reported_once"),
        sa.CheckConstraint("state IN ('due', 'reported', 'refused')", name="a_shipment_is_in_a_known_state"),
        sa.CheckConstraint("(state = 'due') = (next_check_at IS NOT NULL)", name="a_shipment_that_is_due_says_when"),
        sa.CheckConstraint("state <> 'refused' OR errcode IS NOT NULL", name="a_refused_shipment_says_the_code"),
    )
    due = sa.text("next_check_at IS NOT NULL")
    op.create_index("ix_shipment_next_check_at", "shipment", ["next_check_at"], postgresql_where=due)
    grant("SELECT, INSERT, UPDATE (state, next_check_at, attempts, errcode)", "shipment")
    graph("shipment", SHIPMENT)
    follows_graph("shipment", "shipment")
    op.create_table(
        "trade_management",
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("managed", sa.Boolean, nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.CheckConstraint("id = 1", name="there_is_one_word_on_trade"),
    )
    grant("SELECT, INSERT, UPDATE (managed, asked_at)", "trade_management")


def downgrade() -> None:
    op.drop_table("trade_management")
    forget_graph("shipment")
    op.drop_table("shipment")
