"""What the pool does with its connections beside lending them out.

One that lay idle is looked at before it is used again; a busy one is not: each look is a round trip. What a connection
has prepared outlives a rollback.
"""

import time
from typing import Any, Final

import psycopg
from psycopg._preparing import PrepareManager
from sqlalchemy import Engine, event
from sqlalchemy.exc import InvalidatePoolError

from app.kernel.line import answer_to

IDLE_SECONDS: Final = 1.0
"""A connection that dies within this time fails the next transaction, as it would have failed the last one."""

_PUT_BACK: Final = "put back at"


def look_at_idle(engine: Engine) -> None:
    """Replace every connection of the pool once one of them is found dead after it lay idle.

    What a transaction has begun is never begun again: the look comes before its first statement. SQLAlchemy's own way
    sets the driver's mode and sets it back, which fails while an answer is awaited: who was killed at that moment, or
    had no time left, would never have heard of it.
    """

    def put_back(_: Any, record: Any) -> None:
        record.info[_PUT_BACK] = time.monotonic()

    def take(connection: Any, record: Any, _: Any) -> None:
        since = record.info.get(_PUT_BACK)
        if connection is None or since is None or time.monotonic() - since < IDLE_SECONDS:
            return
        try:
            answer_to(b"", connection)
        except psycopg.Error as error:
            raise InvalidatePoolError from error

    event.listen(engine, "checkin", put_back)
    event.listen(engine, "checkout", take)


def keep_prepared(engine: Engine) -> None:
    """Let statements stay prepared when a transaction is rolled back, as it is with every refusal.

    psycopg drops them all then, since the transaction may have made a table that is gone: the program makes none, its
    role may not. Without this each refusal made PostgreSQL plan the next transactions anew, four fifths of their cost.
    """

    def connected(connection: Any, _: Any) -> None:
        connection._prepared = _Keeping()  # noqa: SLF001 - psycopg has no setting for it; a test tells if this ends

    event.listen(engine, "connect", connected)


class _Keeping(PrepareManager):
    """What psycopg knows of the prepared statements of one connection."""

    def clear(self) -> bool:
        """Forget nothing."""
        return False
