"""Under which certificate (产权证书) a lot's property is held, or that there is none, is two persons' word."""

import sqlalchemy as sa
from alembic import op

from migrations.words import grant

revision = "0080"
down_revision = "0079"

MOMENT = sa.DateTime(timezone=True)
DECISION = ("state", "decided_by", "decided_at", "decided_because")


def upgrade() -> None:
    """Nobody has said so of any lot yet: there is nothing from which it could be taken."""
    op.create_table(
        "lot_certificate",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid, nullable=False),
        sa.Column("lot_id", sa.BigInteger, sa.ForeignKey("lot.id"), nullable=False),
        sa.Column("number", sa.Text, nullable=False), sa.Column("because", sa.Text, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False), sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("state", sa.Text, nullable=False), sa.Column("decided_by", sa.Text), sa.Column("decided_at", MOMENT),
        sa.Column("decided_because", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_lot_certificate"),
        sa.UniqueConstraint("key", name="uq_lot_certificate_key"),
        sa.CheckConstraint("number = btrim(number) AND number <> ''", name="a_certificate_has_a_number_or_says_none"),
        sa.CheckConstraint("state IN ('waiting', 'accepted', 'rejected')", name="a_certificate_is_in_a_known_state"),
        sa.CheckConstraint("decided_by <> made_by", name="a_certificate_is_decided_by_another_person"),
        sa.CheckConstraint(
            "num_nonnulls(decided_by, decided_at, decided_because) = CASE state WHEN 'waiting' THEN 0 ELSE 3 END",
            name="a_decided_certificate_says_how_and_why",
        ),
        sa.CheckConstraint("because <> '' AND decided_because <> ''", name="a_certificate_says_on_what_it_rests"),
    )  # fmt: skip
    op.create_index(
        "a_lot_has_one_certificate_waiting", "lot_certificate", ["lot_id"], unique=True,
        postgresql_where=sa.text("state = 'waiting'"),
    )  # fmt: skip
    op.create_index("ix_lot_certificate_lot_id", "lot_certificate", ["lot_id"])
    grant(f"SELECT, INSERT, UPDATE ({', '.join(DECISION)})", "lot_certificate")
    changing = ", ".join(f"'{column}'" for column in DECISION)
    op.execute(
        f"""
        CREATE TRIGGER lot_certificate_says_the_same BEFORE UPDATE OR DELETE ON lot_certificate
            FOR EACH ROW EXECUTE FUNCTION only_these_change({changing});
        CREATE TRIGGER lot_certificate_is_decided_once BEFORE UPDATE ON lot_certificate
            FOR EACH ROW WHEN (OLD.state <> 'waiting') EXECUTE FUNCTION only_these_change();
        CREATE TRIGGER lot_certificate_is_never_emptied BEFORE TRUNCATE ON lot_certificate
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )


def downgrade() -> None:
    op.drop_table("lot_certificate")
