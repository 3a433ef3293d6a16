"""One use case, one transaction.

`transaction()` blocks join: the outermost opens and commits, the inner ones take part. There is no
database access outside such a block, so no connection is ever held while the outside world thinks.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Final

from psycopg import OperationalError
from sqlalchemy import Connection, CursorResult, Engine, Executable, event, func, select
from sqlalchemy.exc import DBAPIError, IntegrityError, TimeoutError  # noqa: A004 - of the connection pool
from sqlalchemy.orm import ORMExecuteState, Session, scoped_session

from app.kernel.held import Held
from app.kernel.refusals import Refusal

LOCK_NOT_AVAILABLE: Final = "55P03"
"""A row was not had within the limit of every connection of ours (PostgreSQL's manual, appendix A)."""

_AWAY: Final = ("08", "57P")
"""Connection exceptions, and a server that shuts down or starts (appendix A)."""

_sessions: "scoped_session[OnHeldConnection] | None" = None
_database: Callable[[], Engine] | None = None


class NoTransaction(RuntimeError):
    """Raised to a programmer who touches the database outside `transaction()`."""


class OnHeldConnection(Session):
    """A session that asks, within a transaction, on the connection of that transaction and no other."""

    def get_bind(self, *args: Any, **words: Any) -> Engine | Connection:
        """What SQLAlchemy asks before it sends anything."""
        within = _joined()
        if within is None or within.session is not self:
            return super().get_bind(*args, **words)
        return _held_by(within).for_session()


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


@dataclass(slots=True)
class Running:
    """An open transaction of this task: its session, its connection once somebody asked, its moment once told.

    `scope` is the application context that it belongs to, none once it is over; `outer` is of another one.
    """

    session: Session
    scope: object | None
    outer: "Running | None"
    held: Held | None = None
    moment: datetime | None = None


_RUNNING: Final[ContextVar[Running | None]] = ContextVar("the running transaction", default=None)


def transaction() -> "_Block":
    """Join the running transaction or open one; only the outermost block commits.

    An exception rolls everything back and leaves the session clean for the next use. Rows that were read
    stay readable afterwards, but belong to no transaction any more: the next one reads anew.
    """
    return _Block()


class _Block:
    """One `with transaction()`. Written out, as every action passes several: half of what a generator costs."""

    __slots__ = ("_opened",)
    _opened: Running | None

    def __enter__(self) -> Session:
        joined = _joined()
        if joined is not None:
            self._opened = None
            return joined.session
        self._opened = _open()
        return self._opened.session

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._opened is not None:
            _end(self._opened, has_failed=kind is not None)


def _joined() -> Running | None:
    """The transaction of this task's application context, whose session it has."""
    within = _RUNNING.get()
    if within is not None:
        scope = _registry().registry.scopefunc()
        while within is not None and within.scope != scope:
            within = within.outer
    return within


def _open() -> Running:
    sessions = _registry()
    opened = Running(sessions(), sessions.registry.scopefunc(), outer=_RUNNING.get())
    _RUNNING.set(opened)
    return opened


def _end(opened: Running, *, has_failed: bool) -> None:
    try:
        if has_failed:
            _rollback(opened)
        else:
            _commit(opened)
    except BaseException:
        if not has_failed:
            _rollback(opened)
        raise
    finally:
        _forget(opened)
        if opened.held is not None:
            opened.held.give_back()


def _forget(ended: Running) -> None:
    """Whoever streams an answer may end after a transaction of another context that began later."""
    ended.scope, within = None, _RUNNING.get()
    while within is not None and within.scope is None:
        within = within.outer
    _RUNNING.set(within)


def _commit(opened: Running) -> None:
    if opened.session.in_transaction():
        opened.session.commit()
        opened.session.expunge_all()
    if opened.held is not None:
        opened.held.commit()


def _rollback(opened: Running) -> None:
    """A connection that cannot, lost or left amid a question, is given up: what failed before is told, not that."""
    if opened.session.in_transaction():
        with suppress(DBAPIError):
            opened.session.rollback()
    if opened.held is not None:
        opened.held.rollback()


def engine() -> Engine:
    """The running app's database."""
    if _database is None:
        raise NoTransaction("no database is wired: call create_app() first")
    return _database()


def running() -> Running:
    """The running transaction."""
    within = _joined()
    if within is None:
        raise NoTransaction("this runs only inside a transaction() block")
    return within


def current() -> Session:
    """The session of the running transaction."""
    return running().session


def held() -> Held:
    """The connection of the running transaction, taken from the pool by the first who asks for it."""
    return _held_by(running())


def _held_by(within: Running) -> Held:
    if within.held is None:
        within.held = Held(engine())
    return within.held


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
    return _RUNNING.get() is not None and _joined() is not None


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


def is_away(failure: BaseException) -> bool:
    """Whether the database itself could not be reached, or ended the connection: not a word about what was asked."""
    if isinstance(failure, TimeoutError):
        return True
    told = failure.orig if isinstance(failure, DBAPIError) else failure
    if not isinstance(told, OperationalError):
        return False
    return told.sqlstate is None or told.sqlstate.startswith(_AWAY)


def sqlstate(error: DBAPIError) -> str | None:
    """PostgreSQL's five-letter code of an error, such as `LOCK_NOT_AVAILABLE`."""
    code = getattr(error.orig, "sqlstate", None)
    return str(code) if code else None
