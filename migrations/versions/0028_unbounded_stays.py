"""Who publishes a price for stays that no reference bounds says why."""

import sqlalchemy as sa
from alembic import op

from migrations.words import grant

revision = "0028"
down_revision = "0027"

COLUMNS = ("answers_unbounded", "unbounded_because")
FROM_BEFORE = "公布时尚未要求说明理由"


def upgrade() -> None:
    unbounded = sa.Computed("result @> '{\"unbounded\": true}'", persisted=True)
    op.add_column("cap_proof", sa.Column("is_unbounded", sa.Boolean, unbounded, nullable=False))
    op.create_unique_constraint("a_proof_bounds_all_stays_or_not", "cap_proof", ["id", "is_unbounded"])
    op.add_column("lot_price", sa.Column("unbounded_because", sa.Text, nullable=True))
    _explain_former()
    answers = sa.Computed("CASE state WHEN 'published' THEN unbounded_because IS NOT NULL END", persisted=True)
    op.add_column("lot_price", sa.Column("answers_unbounded", sa.Boolean, answers, nullable=True))
    op.create_foreign_key(
        "a_price_says_why_stays_are_unbounded", "lot_price", "cap_proof",
        ["proof_id", "answers_unbounded"], ["id", "is_unbounded"],
    )  # fmt: skip
    op.create_check_constraint(
        "only_a_published_price_leaves_stays_unbounded",
        "lot_price",
        "unbounded_because IS NULL OR unbounded_because <> '' AND state = 'published'",
    )
    grant("UPDATE (unbounded_because)", "lot_price")


def _explain_former() -> None:
    """Prices that were published on such a proof before a reason was asked for."""
    op.execute("ALTER TABLE lot_price DISABLE TRIGGER a_decided_price_stays_as_it_was")
    op.execute(
        f"UPDATE lot_price SET unbounded_because = '{FROM_BEFORE}' FROM cap_proof "
        "WHERE cap_proof.id = lot_price.proof_id AND lot_price.state = 'published' AND cap_proof.is_unbounded"
    )
    op.execute("ALTER TABLE lot_price ENABLE TRIGGER a_decided_price_stays_as_it_was")


def downgrade() -> None:
    op.drop_constraint("a_price_says_why_stays_are_unbounded", "lot_price")
    op.drop_constraint("only_a_published_price_leaves_stays_unbounded", "lot_price")
    for column in COLUMNS:
        op.drop_column("lot_price", column)
    op.drop_constraint("a_proof_bounds_all_stays_or_not", "cap_proof")
    op.drop_column("cap_proof", "is_unbounded")
