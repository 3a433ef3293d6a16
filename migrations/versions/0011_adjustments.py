"""Messages to motorists, adjustments, displaced reservations, waivers on a recorded basis."""

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
