"""The one connection of a transaction, from its first question until it goes back to the pool."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, cast

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.pq.abc import PGresult
from psycopg.rows import RowMaker
from sqlalchemy import Connection, Dialect, Engine, PoolProxiedConnection
from sqlalchemy.exc import DBAPIError

from app.kernel.line import answer_to

Rows = Callable[[psycopg.Cursor[Any]], RowMaker[Any]]

_BEGIN: Final = b"BEGIN; SELECT clock_timestamp()"
_COMMIT: Final = b"COMMIT"
_CURSORS: Final = "a cursor for each text"


class Held:
    """Prepared statements are sent on the driver's own connection; a session that asks is given the same one.

    Most requests of the hot paths never ask for it as the session's, and are spared half of what a transaction costs
    in Python.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._pooled = self._taken()
        self._for_session: Connection | None = None
        self.driver = cast("psycopg.Connection[Any]", self._pooled.driver_connection)

    @property
    def dialect(self) -> Dialect:
        """What its engine speaks."""
        return self._engine.dialect

    def ask(self, text: str, values: Mapping[str, Any], rows: Rows, *, keep: bool = True) -> "psycopg.Cursor[Any]":
        """Send a statement; its answer is to be read before the same text is sent again.

        A connection keeps one cursor for each text of the program's, of which there are few: psycopg's knows by then
        how to write its values and read its rows, which a new one would find out anew, two thirds of what such a
        statement costs in Python.
        """
        cursor = self._kept(text, rows) if keep else self.driver.cursor(row_factory=rows)
        try:
            return cursor.execute(cast("Any", text), values)
        except psycopg.Error as error:
            raise self.failure(error) from error

    def _kept(self, text: str, rows: Rows) -> "psycopg.Cursor[Any]":
        cursors: dict[str, psycopg.Cursor[Any]] = self._pooled.info.setdefault(_CURSORS, {})
        if text not in cursors:
            cursors[text] = self.driver.cursor(row_factory=rows)
        return cursors[text]

    def for_session(self) -> Connection:
        """The same connection, as a session wants it."""
        if self._for_session is None:
            self._for_session = Connection(self._engine, connection=self._pooled)
        return self._for_session

    def begin(self) -> datetime | None:
        """Begin the transaction and tell the database's time, in one question.

        None if it has begun already, or is to begin as a session wished it, which the driver knows how to say.
        """
        if self.driver.pgconn.transaction_status != TransactionStatus.IDLE or self._is_wished_otherwise():
            return None
        at = self._told(_BEGIN).get_value(0, 0)
        assert at is not None, "there is always such a moment"
        return datetime.fromisoformat(at.decode())

    def _is_wished_otherwise(self) -> bool:
        """Whoever wished it earlier had the usual put back, in so many words."""
        is_isolated = self.driver.isolation_level not in (None, psycopg.IsolationLevel.READ_COMMITTED)
        return is_isolated or bool(self.driver.read_only) or bool(self.driver.deferrable)

    def commit(self) -> None:
        """Make lasting what the session has not committed itself.

        PostgreSQL answers a COMMIT after an error that somebody swallowed with a rollback: that is told.
        """
        if self.driver.pgconn.transaction_status == TransactionStatus.IDLE:
            return
        if self._told(_COMMIT).command_status != _COMMIT:
            raise self.failure(psycopg.errors.InFailedSqlTransaction("nothing was committed: a statement had failed"))

    def rollback(self) -> None:
        """Undo what the session has not undone itself; a connection that cannot leaves the pool."""
        try:
            self.driver.rollback()
        except psycopg.Error as error:
            self._leave(error)

    def give_back(self) -> None:
        """To the pool, which takes it as it is: one that is still within something does not go there."""
        if not self.driver.closed and self.driver.pgconn.transaction_status != TransactionStatus.IDLE:
            self._leave(psycopg.InterfaceError("neither committed nor rolled back"))
        (self._for_session or self._pooled).close()

    def failure(self, error: psycopg.Error) -> BaseException:
        """The exception that a session would have raised; a connection that is lost leaves the pool.

        Neither statement nor values are told: they may name a person.
        """
        is_lost = self.driver.closed or self.driver.broken
        if is_lost:
            self._leave(error)
        return DBAPIError.instance(
            None, None, error, psycopg.Error, hide_parameters=True, connection_invalidated=is_lost, dialect=self.dialect
        )

    def _taken(self) -> PoolProxiedConnection:
        try:
            return self._engine.raw_connection()
        except psycopg.Error as error:
            raise DBAPIError.instance(
                None, None, error, psycopg.Error, hide_parameters=True, dialect=self.dialect
            ) from error

    def _told(self, words: bytes) -> PGresult:
        try:
            return answer_to(words, self.driver)
        except psycopg.Error as error:
            raise self.failure(error) from error

    def _leave(self, error: psycopg.Error) -> None:
        if self._for_session is not None:
            self._for_session.invalidate(error)
        elif self._pooled.is_valid:
            self._pooled.invalidate(error)
