"""Brings a database to the newest schema, as its owner."""

from pathlib import Path

import psycopg

from launcher.roles import plain

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = ROOT / "migrations" / "versions"


def migrate(migration_url: str) -> None:
    """Run every migration that the database has not seen; none of the platform's code is imported."""
    if _stands_at(migration_url) == _newest():
        return
    from alembic import command  # noqa: PLC0415 - half a second that most starts need not spend
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = migration_url
    command.upgrade(config, "head")


def _newest() -> str:
    """The number of the last migration; they are numbered in one line."""
    return max(path.name for path in VERSIONS.glob("[0-9]*.py")).partition("_")[0]


def _stands_at(migration_url: str) -> str | None:
    """The number of the migration that the database has seen last."""
    with psycopg.connect(plain(migration_url)) as connection:
        if connection.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,):
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return row[0] if row else None
