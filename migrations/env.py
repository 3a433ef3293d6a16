"""Runs the migrations as the schema's owner, never as the application's role."""

import os

from alembic import context
from sqlalchemy import create_engine, pool
from sqlalchemy.engine import Connection

from app.kernel.patience import PATIENCE
from migrations.tables import metadata, ours

LOCK_TIMEOUT = "-c lock_timeout=5s"
"""A step that waits for a table makes all wait who come after it: rather it fails, and is taken again."""

config = context.config


def owner_url() -> str:
    """Where to migrate: an explicit option (tests), else MIGRATION_DATABASE_URL."""
    url = config.attributes.get("url") or os.environ.get("MIGRATION_DATABASE_URL")
    if not url:
        raise SystemExit("MIGRATION_DATABASE_URL is missing: migrations run as the schema's owner")
    return str(url)


def comparing() -> bool:
    """Whether the tables of the code are asked for; plain upgrades need none of our code."""
    return bool(config.attributes.get("compare") or getattr(config.cmd_opts, "autogenerate", False))


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection, target_metadata=metadata() if comparing() else None, include_object=ours,
        compare_type=True, compare_server_default=False, transaction_per_migration=True,
    )  # fmt: skip
    with context.begin_transaction():
        context.run_migrations()


engine = create_engine(owner_url(), poolclass=pool.NullPool, connect_args={**PATIENCE, "options": LOCK_TIMEOUT})
with engine.connect() as connection:
    migrate(connection)
