"""What two large tables keep since steps before this one is proven of their old rows, while the city goes on."""

from alembic import op

revision = "0078"
down_revision = "0077"

KEPT = (
    ("charge", "only_what_strayed_is_nobodys"),
    ("remittance_line", "a_remittance_line_follows_its_batch"),
)


def upgrade() -> None:
    """A step of its own: those steps hold locks that stop all else, and this one none that stops a writer."""
    for table, promise in KEPT:
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {promise}")


def downgrade() -> None:
    """What is proven stays so: those constraints go with the steps that made them."""
