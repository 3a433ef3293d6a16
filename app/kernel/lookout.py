"""Short questions that a process asks all day, over one connection that it keeps.

A transaction costs three round trips beside its question's own: the pool's ping, BEGIN and COMMIT. A question of one
statement is a transaction by itself and sees all that was committed before it was sent.
"""

from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError

from app.kernel.db import engine


class Lookout:
    """Asks one question at a time of one database. It only reads."""

    def __init__(self, database: Engine) -> None:
        self.database = database
        self._alone = Lock()
        self._kept: Connection | None = None
        self._line: DBAPIConnection | None = None

    def ask(self, question: Select[Any], told: Mapping[str, Any]) -> Sequence[Row[Any]]:
        """All rows. A connection that was lost since the last question is replaced once."""
        with self._alone:
            was_kept = self._kept is not None
            try:
                return self._answer(question, told)
            except DBAPIError as failed:
                if not (was_kept and failed.connection_invalidated):
                    raise
                return self._answer(question, told)

    def close(self) -> None:
        """Hang up; the next question connects anew. A line that no pool counts on is not always closed with it."""
        kept, self._kept, line, self._line = self._kept, None, self._line, None
        if kept is not None:
            kept.close()
        if line is not None:
            line.close()

    def _answer(self, question: Select[Any], told: Mapping[str, Any]) -> Sequence[Row[Any]]:
        """Whatever interrupts a question leaves no connection behind that still waits for the answer."""
        self._kept = self._kept or self._connected()
        try:
            return self._kept.execute(question, told).all()
        except BaseException:
            self.close()
            raise

    def _connected(self) -> Connection:
        connection = self.database.connect().execution_options(isolation_level="AUTOCOMMIT")
        self._line = connection.connection.driver_connection
        connection.detach()  # kept for as long as the process lives: the pool must not count on it
        return connection


_lookout: Lookout | None = None


def glimpse(question: Select[Any], told: Mapping[str, Any]) -> Sequence[Row[Any]]:
    """What this process's lookout is told by the running app's database."""
    global _lookout
    database = engine()
    if _lookout is None or _lookout.database is not database:
        if _lookout is not None:
            _lookout.close()
        _lookout = Lookout(database)
    return _lookout.ask(question, told)
