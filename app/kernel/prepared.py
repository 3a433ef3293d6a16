"""Statements that are compiled once, for those few that every reservation and every decision at a gate asks.

Measured for the longest of them: 0.12 ms of processor time where `Session.execute` took 0.76. Anything else is plainer
with the session.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar, cast

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import ARRAY, BindParameter, Connection, Dialect, Executable, Select, Table, bindparam, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import make_transient_to_detached
from sqlalchemy.sql import visitors

from app.kernel.db import connection, current

T = TypeVar("T")
NO_COPY: Final[Mapping[str, Any]] = {}


class Prepared:
    """A statement of a module: its constants are part of its text, what it names by `bindparam` is told each time.

    The constants are the program's own words, never what somebody sent. Rows are what the driver makes of the columns:
    no mapped rows, no spans. It runs in the running transaction and fails as everything else there, but sees nothing
    that the session has not flushed. A name that is not told raises.
    """

    def __init__(self, statement: Executable) -> None:
        self._statement = statement
        self._text: str | None = None
        self._written: list[tuple[str, Callable[[Any], Any]]] = []

    def one(self, **told: Any) -> Any:
        """The row, of which there is always one."""
        row = self.first(**told)
        assert row is not None, "there is always such a row"
        return row

    def first(self, **told: Any) -> Any | None:
        """The first row, with its columns by name; none where there is none."""
        return self._asked(told).fetchone()

    def all(self, **told: Any) -> list[Any]:
        """Every row."""
        return self._asked(told).fetchall()

    def value(self, **told: Any) -> Any | None:
        """The first column of the first row; none where there is none."""
        row = self.first(**told)
        return None if row is None else row[0]

    def run(self, **told: Any) -> int:
        """How many rows it touched."""
        return self._asked(told).rowcount

    def _asked(self, told: dict[str, Any]) -> psycopg.Cursor[Any]:
        within = connection()
        if self._text is None:
            self._compile(within.dialect)
        for name, write in self._written:
            told[name] = write(told[name])
        driver = cast("psycopg.Connection[Any]", within.connection.driver_connection)
        cursor = driver.cursor(row_factory=namedtuple_row)
        try:
            return cursor.execute(cast("Any", self._text), told)
        except psycopg.Error as error:
            raise _as_everywhere(within, error) from error

    def _compile(self, dialect: Dialect) -> None:
        named: dict[str, BindParameter[Any]] = {}

        def note(parameter: BindParameter[Any]) -> None:
            if parameter.required:
                named[parameter.key] = parameter
                parameter.required = False  # or it could not be compiled without its value
            else:
                parameter.literal_execute = True

        fixed = visitors.cloned_traverse(cast("Any", self._statement), NO_COPY, {"bindparam": note})
        text = str(fixed.compile(dialect=dialect, compile_kwargs={"render_postcompile": True}))
        assert "POSTCOMPILE" not in text, "a constant within RETURNING is written as a literal_column"
        writers = ((name, each.type.dialect_impl(dialect).bind_processor(dialect)) for name, each in named.items())
        self._written = [(name, write) for name, write in writers if write is not None]
        self._text = text


def told_rows(table: Table, names: Sequence[str]) -> Select[*tuple[Any, ...]]:
    """Rows told column by column, each column a list by its name: one text for any number of rows.

    For an `insert(table).from_select(names, told_rows(table, names))`.
    """
    lists = [bindparam(name, type_=ARRAY(table.c[name].type)) for name in names]
    return select(*func.unnest(*lists).table_valued(*names).render_derived().c)


def _as_everywhere(within: Connection, error: psycopg.Error) -> BaseException:
    """The exception that `Session.execute` would have raised; a connection that is lost leaves the pool.

    Neither statement nor values are told: they may name a person.
    """
    dialect = within.dialect
    is_lost = dialect.is_disconnect(cast("Any", error), cast("Any", within.connection), None)
    if is_lost:
        within.invalidate(error)
    return DBAPIError.instance(
        None, None, error, psycopg.Error, hide_parameters=True, connection_invalidated=is_lost, dialect=dialect
    )


def as_read(row: T) -> T:
    """A mapped row that a `Prepared` wrote, with all its columns: from now on as if the session had read it."""
    make_transient_to_detached(row)
    current().add(row)
    return row
