"""One connection for each transaction, whoever asks on it."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DataError, IntegrityError, InternalError, OperationalError

from app.kernel import clock
from app.kernel.db import engine, held, in_transaction, savepoint, transaction
from app.kernel.prepared import Prepared

_WRITE = Prepared(text("INSERT INTO probe (number) VALUES (CAST(:number AS int))"))
_COUNT = Prepared(text("SELECT count(*) AS count FROM probe"))
_BROKEN = Prepared(text("SELECT 1 / 0"))
_PID = Prepared(text("SELECT pg_backend_pid() AS pid"))


@pytest.fixture
def probe(app: Flask, admin: psycopg.Connection[Any]) -> Iterator[None]:
    """A table whose numbers are looked at when the transaction ends."""
    admin.execute("CREATE TABLE probe (number int CONSTRAINT once UNIQUE DEFERRABLE INITIALLY DEFERRED)")
    admin.execute("GRANT ALL ON probe TO PUBLIC")
    yield
    admin.execute("DROP TABLE probe")


def _written() -> int:
    with transaction():
        return int(_COUNT.value() or 0)


def _borrowed() -> int:
    return int(engine().pool.status().split("Current Checked out connections: ")[1])


@pytest.mark.parametrize("session_first", [True, False])
def test_the_session_and_prepared_statements_share_one_transaction(probe: None, session_first: bool) -> None:
    asked = text("SELECT pg_backend_pid()")
    with transaction() as session:
        if session_first:
            session.execute(text("INSERT INTO probe VALUES (1)"))
        _WRITE.run(number=2)
        session.execute(text("INSERT INTO probe VALUES (3)"))
        assert (_COUNT.value(), session.scalar(asked)) == (2 + session_first, _PID.value())
        assert _borrowed() == 1
    assert (_written(), _borrowed()) == (2 + session_first, 0)


def _fail(session_asks: bool) -> None:
    with transaction() as session:
        _WRITE.run(number=1)
        if session_asks:
            session.execute(text("INSERT INTO probe VALUES (2)"))
        raise LookupError


@pytest.mark.parametrize("session_asks", [True, False])
def test_all_of_it_is_undone_together(probe: None, session_asks: bool) -> None:
    with pytest.raises(LookupError):
        _fail(session_asks)
    assert (_written(), _borrowed(), in_transaction()) == (0, 0, False)


def _fail_in_part() -> None:
    with savepoint():
        _WRITE.run(number=2)
        raise LookupError


def test_a_savepoint_undoes_what_was_prepared_in_it_alone(probe: None) -> None:
    with transaction():
        _WRITE.run(number=1)
        with pytest.raises(LookupError):
            _fail_in_part()
        _WRITE.run(number=3)
    assert _written() == 2


def _write_twice() -> None:
    with transaction():
        _WRITE.run(number=1)
        _WRITE.run(number=1)


def test_a_constraint_that_speaks_at_the_end_speaks_as_everywhere(probe: None) -> None:
    with pytest.raises(IntegrityError, match="once"):
        _write_twice()
    assert (_written(), _borrowed()) == (0, 0)


def _lose(admin: psycopg.Connection[Any], *, session_asks: bool) -> None:
    with transaction() as session:
        _WRITE.run(number=1)
        if session_asks:
            session.execute(text("SELECT 1"))
        admin.execute("SELECT pg_terminate_backend(%s, 5000)", (_PID.value(),))


@pytest.mark.parametrize("session_asks", [True, False])
def test_a_connection_lost_before_the_end_fails_the_transaction_and_leaves_the_pool(
    probe: None, admin: psycopg.Connection[Any], session_asks: bool
) -> None:
    with pytest.raises(OperationalError):
        _lose(admin, session_asks=session_asks)
    assert (_written(), _borrowed()) == (0, 0)


def test_the_moment_comes_with_the_beginning_and_stands_still(probe: None) -> None:
    with transaction() as session:
        began = clock.now()
        in_database = session.execute(text("SELECT now() AS began, clock_timestamp() AS later")).one()
        assert clock.now() == began
        assert in_database.began <= began - clock.offset() <= in_database.later
        assert held().begin() is None
    with transaction() as session:
        session.execute(text("SELECT 1"))
        assert began < clock.now() < began + timedelta(minutes=5)


@pytest.mark.parametrize("option", [{"isolation_level": "REPEATABLE READ"}, {"postgresql_readonly": True}])
def test_a_transaction_that_is_to_be_another_than_usual_begins_so(app: Flask, option: dict[str, object]) -> None:
    name, wanted = {"isolation_level": ("isolation", "repeatable read")}.get(next(iter(option)), ("read_only", "on"))
    with transaction() as session:
        session.connection(execution_options=option)
        assert clock.now() == clock.now()
        assert session.scalar(text(f"SHOW transaction_{name}")) == wanted
    with transaction() as session:
        assert clock.now() == clock.now()
        assert session.scalar(text(f"SHOW transaction_{name}")) != wanted


def _fail_on_a_lost_one(admin: psycopg.Connection[Any]) -> None:
    with transaction() as session:
        pid = session.scalar(text("SELECT pg_backend_pid()"))
        admin.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
        raise LookupError


def test_what_failed_is_told_though_nothing_could_be_undone(app: Flask, admin: psycopg.Connection[Any]) -> None:
    with pytest.raises(LookupError):
        _fail_on_a_lost_one(admin)
    assert _borrowed() == 0
    with transaction():
        assert _PID.value()


def _begin_on_a_lost_one(admin: psycopg.Connection[Any]) -> None:
    with transaction():
        admin.execute("SELECT pg_terminate_backend(%s, 5000)", (held().driver.info.backend_pid,))
        clock.now()


def test_a_beginning_that_fails_says_so_as_everywhere(app: Flask, admin: psycopg.Connection[Any]) -> None:
    with pytest.raises(OperationalError):
        _begin_on_a_lost_one(admin)
    with transaction():
        assert _PID.value()


def test_a_connection_that_was_isolated_once_begins_in_one_question_again(app: Flask) -> None:
    engine().dispose()  # or another one might be given
    with transaction() as session:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        isolated = session.scalar(text("SELECT pg_backend_pid()"))
    with transaction() as session:
        assert held().begin() is not None
        assert _PID.value() == isolated
        assert session.scalar(text("SHOW transaction_isolation")) == "read committed"


def test_nothing_counts_as_done_that_an_error_has_undone(app: Flask) -> None:
    with pytest.raises(InternalError), transaction(), suppress(DataError):
        _BROKEN.run()
    assert _borrowed() == 0
