"""Lots from draft to withdrawal: entrances, opening plans, facilities, approvals."""

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
