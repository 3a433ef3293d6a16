"""Greenlets that are killed while PostgreSQL works for them: nobody is told what was meant for them."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import gevent
import psycopg
import pytest
from flask import Flask
from gevent import get_hub
from psycopg import waiting
from sqlalchemy import Text, bindparam, cast, select, text

from app.kernel import clock, hub, pool
from app.kernel.db import engine, in_transaction, savepoint, transaction
from app.kernel.idempotency import InFlight
from app.kernel.lookout import Lookout
from app.kernel.prepared import Prepared
from launcher.processes import await_that

Deed = Callable[[], None]

_ECHO = Prepared(text("SELECT CAST(:word AS text) AS word"))
_ASLEEP = text("SELECT pg_sleep(4), 'meant for who was killed'")
_ASLEEP_PREPARED = Prepared(_ASLEEP)
_SAID = select(cast(bindparam("word"), Text))


@pytest.fixture
def waits_in_hub(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Connections wait as in a worker of greenlets; the pool begins empty, and looks at each that it lends."""
    monkeypatch.setattr(waiting, "wait", hub.wait)
    monkeypatch.setattr(pool, "IDLE_SECONDS", 0)
    engine().dispose()
    yield
    engine().dispose()


def _borrowed() -> int:
    return int(engine().pool.status().split("Current Checked out connections: ")[1])


def _hear_their_own_words() -> None:
    """Several in a row, prepared and by the session: whoever follows is told what was meant for them."""
    for word in ("first", "second", "third"):
        with transaction() as session:
            assert clock.now() == clock.now()
            assert _ECHO.one(word=word).word == word
            assert session.scalar(_SAID, {"word": word}) == word


def _ask_prepared() -> None:
    with transaction():
        _ASLEEP_PREPARED.one()


def _ask_by_session() -> None:
    with transaction() as session:
        session.execute(_ASLEEP)


def _ask_after_a_savepoint() -> None:
    with transaction(), savepoint() as session:
        session.execute(_ASLEEP)


QUESTIONS = [_ask_prepared, _ask_by_session, _ask_after_a_savepoint]


def _in_greenlet(app: Flask, deed: Deed) -> gevent.Greenlet:
    def run() -> None:
        with app.app_context():
            deed()

    return gevent.spawn(run)


def _asleep(admin: psycopg.Connection[Any]) -> bool:
    working = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
    return bool(admin.execute(working).fetchall())


@pytest.mark.parametrize("ask", QUESTIONS)
def test_whoever_is_killed_amid_a_question_takes_the_answer_along(
    waits_in_hub: None, app: Flask, admin: psycopg.Connection[Any], ask: Deed
) -> None:
    asking = _in_greenlet(app, ask)
    assert await_that(lambda: _asleep(admin), seconds=20)
    asking.kill()
    assert _borrowed() == 0
    _hear_their_own_words()


@pytest.mark.parametrize("ask", QUESTIONS)
def test_whoever_has_no_time_left_amid_a_question_takes_the_answer_along(
    waits_in_hub: None, app: Flask, ask: Deed
) -> None:
    with app.app_context(), pytest.raises(gevent.Timeout), gevent.Timeout(0.05):
        ask()
    assert (in_transaction(), _borrowed()) == (False, 0)
    _hear_their_own_words()


class LastWait(BaseException):
    """What kills a greenlet in these tests, as `GreenletExit` does."""


class Deadly:
    """gevent's hub, in which the wait of this number is the last: its question was sent, its answer never comes."""

    def __init__(self, number: int) -> None:
        self.left = number
        self.loop = get_hub().loop

    def wait(self, watcher: Any) -> None:
        self.left -= 1
        if self.left == 0:
            raise LastWait
        get_hub().wait(watcher)


def _everything() -> None:
    """All ways to ask, and an end that makes it last."""
    with transaction() as session:
        clock.now()
        _ECHO.one(word="prepared")
        session.scalar(_SAID, {"word": "by the session"})
        with savepoint():
            session.scalar(_SAID, {"word": "within a savepoint"})


def _refused() -> None:
    """The same, and an end that undoes it."""
    with suppress(InFlight), transaction():
        _everything()
        raise InFlight


def _by_the_way() -> None:
    """What a lookout asks, twice over its one connection."""
    lookout = Lookout(engine())
    try:
        for word in ("glimpsed", "glimpsed again"):
            ((told,),) = lookout.ask(_SAID, {"word": word})
            assert told == word
    finally:
        lookout.close()


@pytest.mark.parametrize("deed", [_everything, _refused, _by_the_way])
def test_wherever_somebody_is_killed_the_next_are_told_what_they_asked(
    waits_in_hub: None, monkeypatch: pytest.MonkeyPatch, deed: Deed
) -> None:
    _hear_their_own_words()
    deaths = 0
    while _dies(deed, deaths + 1, monkeypatch):
        deaths += 1
        assert (in_transaction(), _borrowed()) == (False, 0)
        _hear_their_own_words()
    assert deaths >= 3, "whoever asks waits"


def _dies(deed: Deed, number: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    deadly = Deadly(number)
    with monkeypatch.context() as dying:
        dying.setattr(hub, "get_hub", lambda: deadly)
        try:
            deed()
        except LastWait:
            return True
    return False
