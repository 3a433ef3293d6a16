"""Messages that WeChat shows: templates, consents, deliveries."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.words import follows_graph, forget_graph, grant, graph, only_ends

revision = "0022"
down_revision = "0021"

DELIVERY = (
    ("", "born", "due"),
    ("due", "send", "sending"),
    ("due", "expire", "expired"),
    ("sending", "accept", "sent"),
    ("sending", "refuse", "refused"),
    ("sending", "postpone", "due"),
    ("sending", "lose", "unknown"),
)
TABLES = ("message_delivery", "message_consent", "message_template", "message_line")


def upgrade() -> None:
    op.create_unique_constraint("a_message_is_one_motorists", "message", ["id", "motorist_id"])
    _templates()
    _consents()
    _deliveries()
    _line()
    only_ends("message_template")
    grant("SELECT, INSERT, UPDATE", "message_consent", "message_delivery", "message_line")
    graph("message_delivery", DELIVERY)
    follows_graph("message_delivery", "message_delivery")


def _templates() -> None:
    op.create_table(
        "message_template",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("template_id", sa.Text(), nullable=False),
        sa.Column("page", sa.Text(), nullable=False),
        sa.Column("fields", postgresql.JSONB(), nullable=False),
        sa.Column("valid", postgresql.TSTZRANGE(), nullable=False),
        sa.CheckConstraint("kind IN ('leaving', 'conduct')", name="a_template_is_of_a_known_kind"),
        sa.CheckConstraint("template_id <> '' AND page <> ''", name="a_template_has_a_number_and_a_page"),
        sa.CheckConstraint("fields <> '{}'", name="a_template_says_something"),
        sa.CheckConstraint("NOT isempty(valid)", name="a_template_holds_for_some_time"),
        sa.PrimaryKeyConstraint("id", name="pk_message_template"),
        postgresql.ExcludeConstraint(
            ("kind", "="), ("valid", "&&"), name="a_kind_has_one_template_at_a_time", using="gist"
        ),
    )  # fmt: skip


def _consents() -> None:
    op.create_table(
        "message_consent",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("motorist_id", sa.BigInteger(), nullable=False),
        sa.Column("template_id", sa.Text(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_as", sa.Text(), nullable=True),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_as IS NULL)", name="a_consent_that_ended_says_how"),
        sa.CheckConstraint("ended_as IN ('spent', 'void')", name="a_consent_ends_spent_or_void"),
        sa.CheckConstraint("ended_at >= given_at", name="a_consent_ends_after_it_was_given"),
        sa.ForeignKeyConstraint(["motorist_id"], ["motorist.id"], name="fk_message_consent_motorist_id"),
        sa.PrimaryKeyConstraint("id", name="pk_message_consent"),
        sa.UniqueConstraint("id", "motorist_id", name="a_consent_is_one_motorists"),
    )
    op.create_index(
        "ix_message_consent_unspent", "message_consent", ["motorist_id", "template_id"],
        unique=False, postgresql_where=sa.text("ended_at IS NULL"),
    )  # fmt: skip


def _deliveries() -> None:
    op.create_table(
        "message_delivery",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("motorist_id", sa.BigInteger(), nullable=False),
        sa.Column("consent_id", sa.BigInteger(), nullable=False),
        sa.Column("template_row", sa.BigInteger(), nullable=False),
        sa.Column("told", postgresql.JSONB(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("give_up_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("next_check_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("errcode", sa.BigInteger(), nullable=True),
        sa.Column("wechat_id", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('due', 'sending', 'sent', 'refused', 'unknown', 'expired')",
            name="a_delivery_is_in_a_known_state",
        ),
        sa.CheckConstraint(
            "(state IN ('due', 'sending')) = (ended_at IS NULL)", name="a_delivery_that_ended_says_when"
        ),
        sa.CheckConstraint("state <> 'refused' OR errcode IS NOT NULL", name="a_refused_delivery_says_the_code"),
        sa.CheckConstraint(
            "state NOT IN ('sending', 'sent', 'refused', 'unknown') OR attempts > 0", name="what_was_sent_was_tried"
        ),
        sa.CheckConstraint("give_up_at > made_at", name="a_delivery_has_some_time"),
        sa.ForeignKeyConstraint(
            ["message_id", "motorist_id"], ["message.id", "message.motorist_id"],
            name="a_delivery_goes_to_whom_the_message_is_for",
        ),
        sa.ForeignKeyConstraint(
            ["consent_id", "motorist_id"], ["message_consent.id", "message_consent.motorist_id"],
            name="a_delivery_spends_its_own_motorists_consent",
        ),
        sa.ForeignKeyConstraint(["template_row"], ["message_template.id"], name="fk_message_delivery_template_row"),
        sa.PrimaryKeyConstraint("id", name="pk_message_delivery"),
        sa.UniqueConstraint("message_id", name="uq_message_delivery_message_id"),
        sa.UniqueConstraint("consent_id", name="a_consent_is_spent_once"),
    )  # fmt: skip
    op.create_index(
        "ix_message_delivery_next", "message_delivery", ["next_check_at"],
        unique=False, postgresql_where=sa.text("state IN ('due', 'sending')"),
    )  # fmt: skip


def _line() -> None:
    op.create_table(
        "message_line",
        sa.Column("id", sa.SmallInteger(), nullable=False, autoincrement=False),
        sa.Column("failures", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("errcode", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("id = 1", name="there_is_one_line_for_messages"),
        sa.CheckConstraint(
            "(failures = 0) = (paused_until IS NULL)", name="a_line_that_failed_says_until_when_it_rests"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_message_line"),
    )


def downgrade() -> None:
    forget_graph("message_delivery")
    for table in TABLES:
        op.drop_table(table)
    op.drop_constraint("a_message_is_one_motorists", "message")
