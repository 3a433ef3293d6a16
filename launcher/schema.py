"""Brings a database to the newest schema, as its owner."""

from pathlib import Path

from alembic import command
from alembic.config import Config

ROOT = Path(__file__).resolve().parent.parent


def migrate(migration_url: str) -> None:
    """Run every migration that the database has not seen; none of the platform's code is imported."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = migration_url
    command.upgrade(config, "head")
