"""What tests about departures ask for."""

import psycopg
import pytest

from tests.ground import Addresses
from tests.prices.scene import Run


@pytest.fixture
def run(servers: Addresses) -> Run:
    """Runs one statement as the program's role in a transaction of its own; returns how many rows it touched."""
    url = servers.app.replace("+psycopg", "", 1)

    def once(statement: str, *values: object) -> int:
        with psycopg.connect(url) as connection, connection.transaction():
            return connection.execute(statement.encode(), values or None).rowcount

    return once
