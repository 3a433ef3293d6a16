"""A refund that WeChat does not take can be given up."""

from alembic import op

from migrations.words import graph

revision = "0030"
down_revision = "0029"

STOPPING = (
    ("unknown", "stop", "stopping"),
    ("stopping", "accept", "processing"),
    ("stopping", "succeed", "success"),
    ("stopping", "close", "closed"),
    ("stopping", "fail", "abnormal"),
)
KNOWN = "a_refund_is_in_a_known_state"
FORMER = (
    "state IN ('requested', 'rejected', 'approved', 'submitting', 'unknown', 'processing', 'success', 'closed', "
    "'abnormal')"
)


def upgrade() -> None:
    graph("refund", STOPPING)
    op.drop_constraint(KNOWN, "refund")
    op.create_check_constraint(KNOWN, "refund", FORMER.replace("'unknown'", "'unknown', 'stopping'"))


def downgrade() -> None:
    op.drop_constraint(KNOWN, "refund")
    op.create_check_constraint(KNOWN, "refund", FORMER)
    op.execute("ALTER TABLE state_event DISABLE TRIGGER state_event_rows_never_change")
    op.execute("DELETE FROM state_event WHERE machine = 'refund' AND 'stopping' IN (from_state, to_state)")
    op.execute("ALTER TABLE state_event ENABLE TRIGGER state_event_rows_never_change")
    op.execute("DELETE FROM state_transition WHERE machine = 'refund' AND 'stopping' IN (from_state, to_state)")
