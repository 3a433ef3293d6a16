"""Putting lots into any state, and counting what the database is asked."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import event

from app.domain.lots.models import Lot

Put = Callable[[Lot, str], None]
Close = Callable[[Lot, str, str | None], None]
Counted = Callable[[], AbstractContextManager[list[str]]]


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


@pytest.fixture
def counted(app: Flask) -> Counted:
    """A block that remembers which statements were sent meanwhile."""

    @contextmanager
    def counting() -> Iterator[list[str]]:
        sent: list[str] = []

        def listen(_: Any, __: Any, statement: str, *___: Any) -> None:
            sent.append(statement)

        engine = app.extensions["sqlalchemy"].engine
        event.listen(engine, "before_cursor_execute", listen)
        try:
            yield sent
        finally:
            event.remove(engine, "before_cursor_execute", listen)

    return counting
