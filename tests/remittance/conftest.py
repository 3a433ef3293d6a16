"""A collecting unit on a Wednesday evening."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from tests.ground import Addresses
from tests.payments.world import on_record
from tests.remittance.scene import Unit
from tests.world import payee


@pytest.fixture
def unit(database: Addresses, at: Callable[[datetime], None], admin: psycopg.Connection[Any]) -> Unit:
    """An organ that collects for its district's treasury, on the evening of 10 June."""
    at(datetime(2026, 6, 10, 12, tzinfo=UTC))
    made = Unit(admin, at, payee("fiscal"))
    on_record(made.payee)
    return made


@pytest.fixture
def program(database_urls: tuple[str, str]) -> str:
    """A connection string of the program's own role, for hand-written SQL."""
    return database_urls[1].replace("postgresql+psycopg", "postgresql")


@pytest.fixture
def owner(database_urls: tuple[str, str]) -> str:
    """A connection string of the schema's owner, for hand-written SQL."""
    return database_urls[0].replace("postgresql+psycopg", "postgresql")
