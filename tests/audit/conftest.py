"""A place for anchors of a test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Connection, create_engine, pool

from app.adapters.anchors import FolderAnchors
from app.settings import Settings
from tests.ground import Addresses


@pytest.fixture
def place(tmp_path: Path) -> FolderAnchors:
    """An empty folder outside of the database."""
    return FolderAnchors(tmp_path / "anchors")


@pytest.fixture
def wired_place(app: Flask, settings: Settings) -> FolderAnchors:
    """The folder that commands and sweepers use, emptied."""
    wired = FolderAnchors(settings.audit_anchors[0])
    wired.file.unlink(missing_ok=True)
    return wired


@pytest.fixture
def superuser(database: Addresses) -> Iterator[Connection]:
    """Somebody for whom triggers and foreign keys do not count; whatever is done here is rolled back."""
    engine = create_engine(database.admin.replace("postgresql://", "postgresql+psycopg://", 1), poolclass=pool.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql("SET session_replication_role = replica")
        connection.commit()
        yield connection
        connection.rollback()
