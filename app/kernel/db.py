"""One use case, one transaction.

`transaction()` blocks join: the outermost opens and commits, the inner ones take part. There is no
database access outside such a block, so no connection is ever held while the outside world thinks.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, CursorResult, Engine, Executable, event, func, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import ORMExecuteState, Session, scoped_session

from app.kernel.held import Held
from app.kernel.refusals import Refusal

_DEPTH = "transaction depth"
_HELD = "connection of the transaction"
LOCK_NOT_AVAILABLE: Final = "55P03"
"""A row was not had within the limit of every connection of ours (PostgreSQL's manual, appendix A)."""

_sessions: "scoped_session[OnHeldConnection] | None" = None
_database: Callable[[], Engine] | None = None


class NoTransaction(RuntimeError):
    """Raised to a programmer who touches the database outside `transaction()`."""


class OnHeldConnection(Session):
    """A session that asks, within a transaction, on the connection of that transaction and no other."""

    def get_bind(self, *args: Any, **words: Any) -> Engine | Connection:
        """What SQLAlchemy asks before it sends anything."""
        return held().for_session() if self.info.get(_DEPTH) else super().get_bind(*args, **words)


def use_sessions(sessions: "scoped_session[OnHeldConnection]", database: Callable[[], Engine]) -> None:
    """Name the sessions that all rooms use, and the running app's database; the wiring does this once per process."""
    global _sessions, _database
    _sessions, _database = sessions, database
    if not event.contains(sessions.session_factory, "do_orm_execute", _read_anew_when_locking):
        event.listen(sessions.session_factory, "do_orm_execute", _read_anew_when_locking)


def _read_anew_when_locking(execution: ORMExecuteState) -> None:
    """Who waited for a row must see what its former holder left there, not what was read before the wait."""
    if execution.is_select and getattr(execution.statement, "_for_update_arg", None) is not None:
        execution.update_execution_options(populate_existing=True)


def _registry() -> "scoped_session[OnHeldConnection]":
    if _sessions is None:
        raise NoTransaction("no sessions are wired: call create_app() first")
    return _sessions


@contextmanager
def transaction() -> Iterator[Session]:
    """Join the running transaction or open one; only the outermost block commits.

    An exception rolls everything back and leaves the session clean for the next use. Rows that were read
    stay readable afterwards, but belong to no transaction any more: the next one reads anew.
    """
    session = _registry()()
    if session.info.get(_DEPTH):
        yield session
        return
    session.info[_DEPTH] = True
    try:
        yield session
        _commit(session)
    except BaseException:
        _rollback(session)
        raise
    finally:
        session.info.pop(_DEPTH, None)
        session.info.pop("moment", None)
        if (taken := session.info.pop(_HELD, None)) is not None:
            taken.give_back()


def _commit(session: Session) -> None:
    if session.in_transaction():
        session.commit()
        session.expunge_all()
    if (taken := session.info.get(_HELD)) is not None:
        taken.commit()


def _rollback(session: Session) -> None:
    """A connection that cannot, lost or left amid a question, is given up: what failed before is told, not that."""
    if session.in_transaction():
        with suppress(DBAPIError):
            session.rollback()
    if (taken := session.info.get(_HELD)) is not None:
        taken.rollback()


def engine() -> Engine:
    """The running app's database."""
    if _database is None:
        raise NoTransaction("no database is wired: call create_app() first")
    return _database()


def current() -> Session:
    """The session of the running transaction."""
    session = _registry()()
    if not session.info.get(_DEPTH):
        raise NoTransaction("this runs only inside a transaction() block")
    return session


def held() -> Held:
    """The connection of the running transaction, taken from the pool by the first who asks for it."""
    info = current().info
    found = info.get(_HELD)
    if found is None:
        found = info[_HELD] = Held(engine())
    assert isinstance(found, Held)
    return found


def begin() -> datetime | None:
    """Begin in the database what the running transaction has not begun there, and tell the database's time."""
    return held().begin()


@contextmanager
def savepoint() -> Iterator[Session]:
    """A part of the running transaction that may fail alone."""
    session = current()
    with session.begin_nested():
        session.connection()  # or the session would set the savepoint when it is asked first, which may be never
        yield session


@contextmanager
def refusing(refusals: Mapping[str, type[Refusal]]) -> Iterator[Session]:
    """A part of the running transaction in which a constraint speaks as a refusal: `{"uq_unit_name": NameTaken}`."""
    try:
        with savepoint() as session:
            yield session
    except IntegrityError as error:
        refusal = refusals.get(violated(error) or "")
        if refusal is None:
            raise
        raise refusal from error


def in_transaction() -> bool:
    """Whether this task holds a transaction open: then it must not call the outside world."""
    return _sessions is not None and bool(_sessions().info.get(_DEPTH))


def violated(error: IntegrityError) -> str | None:
    """The name of the constraint that refused, as PostgreSQL reports it."""
    diagnosis = getattr(error.orig, "diag", None)
    name = getattr(diagnosis, "constraint_name", None)
    return str(name) if name else None


def unhurried() -> None:
    """Let the running transaction's statements last as long as they must: a day's work is no request."""
    current().execute(select(func.set_config("statement_timeout", "0", True)))


def affected(statement: Executable) -> int:
    """Run an UPDATE, a DELETE or an INSERT in the running transaction; returns how many rows it touched.

    Without the option an INSERT ... ON CONFLICT DO NOTHING would tell -1, whatever it did.
    """
    result = current().execute(statement, execution_options={"preserve_rowcount": True})
    assert isinstance(result, CursorResult)
    return result.rowcount


def sqlstate(error: DBAPIError) -> str | None:
    """PostgreSQL's five-letter code of an error, such as `LOCK_NOT_AVAILABLE`."""
    code = getattr(error.orig, "sqlstate", None)
    return str(code) if code else None
