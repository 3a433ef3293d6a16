"""Deeds that start at the same moment, each in a thread of its own."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, LiteralString

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text

from app.kernel.db import transaction
from app.kernel.refusals import Refusal
from launcher.processes import await_that

Deed = Callable[[], object]


def at_once(app: Flask, *deeds: Deed) -> list[str]:
    """Run them together; tells for each `done` or the refusal's name, in the order of the alphabet."""
    start = threading.Barrier(len(deeds))

    def run(deed: Deed) -> str:
        with app.app_context():
            start.wait()
            try:
                deed()
            except Refusal as refusal:
                return type(refusal).__name__
            return "done"

    with ThreadPoolExecutor(len(deeds)) as pool:
        return sorted(pool.map(run, deeds))


def all_waiting_for(
    admin: psycopg.Connection[Any], locks: Sequence[LiteralString], app: Flask, *deeds: Deed
) -> list[str]:
    """As `at_once`, but somebody else holds what `locks` lock until every deed waits for it.

    Each is a transaction, and what it read before it had to wait was true before any of the others.
    """
    with psycopg.connect(admin.info.dsn, password=admin.info.password) as rival, ThreadPoolExecutor(1) as pool:
        for each in locks:
            rival.execute(each)
        told = pool.submit(at_once, app, *(_patient(deed) for deed in deeds))
        assert await_that(lambda: told.done() or _waiting(admin) == len(deeds), seconds=20)
        rival.rollback()
        return told.result()


def _patient(deed: Deed) -> Deed:
    """The same, which waits for as long as the slowest of the others needs to come."""

    def patient() -> None:
        with transaction() as session:
            session.execute(text("SET LOCAL lock_timeout = '30s'; SET LOCAL statement_timeout = '30s'"))
            deed()

    return patient


def somebody_waits(admin: psycopg.Connection[Any]) -> bool:
    """Whether a connection of this worker's database waits for a lock."""
    return _waiting(admin) > 0


def _waiting(admin: psycopg.Connection[Any]) -> int:
    waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    return len(admin.execute(waiting).fetchall())


def asleep(monkeypatch: pytest.MonkeyPatch, room: object, name: str, meanwhile: Deed) -> None:
    """Whoever first calls what bears this name in this room sleeps there, and wakes when all of that has happened."""
    awake = getattr(room, name)

    def slept(*told: Any, **more: Any) -> Any:
        monkeypatch.undo()
        meanwhile()
        return awake(*told, **more)

    monkeypatch.setattr(room, name, slept)
