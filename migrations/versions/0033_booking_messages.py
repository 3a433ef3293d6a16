"""WeChat may show what becomes of reservations, too."""

from alembic import op

revision = "0033"
down_revision = "0032"

KINDS = "kind IN ('leaving', 'conduct', 'arrears'{})"


def upgrade() -> None:
    _kinds(", 'booking'")


def _kinds(more: str) -> None:
    op.drop_constraint("a_template_is_of_a_known_kind", "message_template")
    op.create_check_constraint("a_template_is_of_a_known_kind", "message_template", KINDS.format(more))


def downgrade() -> None:
    op.execute(
        "DELETE FROM message_delivery USING message_template "
        "WHERE message_template.id = template_row AND kind = 'booking'"
    )
    op.execute("DELETE FROM message_template WHERE kind = 'booking'")
    _kinds("")
