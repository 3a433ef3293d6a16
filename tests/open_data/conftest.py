"""Putting lots into any state."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from app.domain.lots.models import Lot

Put = Callable[[Lot, str], None]
Close = Callable[[Lot, str, str | None], None]


@pytest.fixture
def put(admin: psycopg.Connection[Any]) -> Iterator[Put]:
    """`put(lot, state)`: as if it had come there step by step; the steps are others' tests."""

    def into(lot: Lot, state: str) -> None:
        admin.execute("UPDATE lot SET state = %s WHERE id = %s", (state, lot.id))

    admin.execute("SET session_replication_role = replica")
    yield into
    admin.execute("RESET session_replication_role")


@pytest.fixture
def close(admin: psycopg.Connection[Any]) -> Iterator[Close]:
    """`close(lot, begins_at, ends_at)`: as if an adjustment had closed it; adjusting is others' tests."""

    def shut(lot: Lot, begins_at: str, ends_at: str | None) -> None:
        shut_for = "INSERT INTO lot_closure (lot_id, during, adjustment_id) VALUES (%s, tstzrange(%s, %s), 1)"
        admin.execute(shut_for, (lot.id, begins_at, ends_at))

    admin.execute("SET session_replication_role = replica")
    yield shut
    admin.execute("RESET session_replication_role")
