"""Connections that die while nobody uses them."""

from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError

from app.kernel import pool
from app.kernel.db import transaction
from app.kernel.idempotency import InFlight


def pid() -> int:
    with transaction() as session:
        number = session.scalar(select(func.pg_backend_pid()))
    assert isinstance(number, int)
    return number


@pytest.fixture
def lost(app: Flask, admin: psycopg.Connection[Any]) -> int:
    """The server's end of the pool's only connection, which is no more."""
    app.extensions["sqlalchemy"].engine.dispose()
    number = pid()
    admin.execute("SELECT pg_terminate_backend(%s, 5000)", (number,))
    return number


def test_a_connection_that_died_while_it_lay_idle_is_replaced_and_nobody_notices(
    lost: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "IDLE_SECONDS", 0)
    assert pid() != lost


def test_one_that_died_between_two_transactions_fails_once_and_is_replaced(
    lost: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "IDLE_SECONDS", 600)
    with pytest.raises(OperationalError):
        pid()
    assert pid() != lost


def refused() -> None:
    with transaction():
        pid()
        raise InFlight


def test_what_is_prepared_outlives_a_refusal(app: Flask) -> None:
    app.extensions["sqlalchemy"].engine.dispose()
    for _ in range(8):
        with pytest.raises(InFlight):
            refused()
    with transaction() as session:
        prepared = session.scalars(text("SELECT statement FROM pg_prepared_statements")).all()
    assert any("pg_backend_pid" in statement for statement in prepared)


def test_the_connection_that_was_given_back_last_is_lent_first(app: Flask) -> None:
    engine = app.extensions["sqlalchemy"].engine
    first, last = engine.raw_connection(), engine.raw_connection()
    warm = last.driver_connection
    first.close()
    last.close()
    again = engine.raw_connection()
    assert again.driver_connection is warm
    again.close()
