"""Statements that are compiled once, for those few that every reservation, decision at a gate and payment asks.

Measured for the longest of them: 0.12 ms of processor time where `Session.execute` took 0.76. Anything else is plainer
with the session.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final, Generic, TypeVar, cast

import psycopg
from psycopg.rows import RowMaker, namedtuple_row, tuple_row
from sqlalchemy import (
    ARRAY,
    BindParameter,
    ColumnElement,
    Dialect,
    Executable,
    FromClause,
    Label,
    Select,
    Table,
    bindparam,
    func,
    inspect,
    select,
)
from sqlalchemy.orm import make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.sql import visitors

from app.kernel.base import Base
from app.kernel.db import current, held

T = TypeVar("T")
Model = TypeVar("Model", bound=Base)
NO_COPY: Final[Mapping[str, Any]] = {}
_WAITING: Final = "statements that are told together"
_TOLD: Final = ("SELECT", "INSERT", "UPDATE", "DELETE")
_NAME: Final = re.compile(r"%\((\w+)\)s")


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
        self._made: RowMaker[Any] | None = None

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

    def tell(self, **told: Any) -> None:
        """Run it, with no answer wanted; within `told_together` at the end of that block."""
        waiting = current().info.get(_WAITING)
        if waiting is None:
            self._asked(told)
        else:
            waiting.append((self, told))

    def _asked(self, told: dict[str, Any]) -> psycopg.Cursor[Any]:
        within = held()
        text, values = self.as_sent(within.dialect, told)
        return within.ask(text, values, self._rows)

    def _rows(self, cursor: psycopg.Cursor[Any]) -> RowMaker[Any]:
        """How a row is made, found out once: the text always answers with the same columns."""
        if self._made is None:
            self._made = namedtuple_row(cursor)
        return self._made

    def as_sent(self, dialect: Dialect, told: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """The text, and what is told as the driver takes it."""
        if self._text is None:
            self._compile(dialect)
        for name, write in self._written:
            told[name] = write(told[name])
        assert self._text is not None
        return self._text, told

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
        writers = ((name, _writer(each, dialect)) for name, each in named.items())
        self._written = [(name, write) for name, write in writers if write is not None]
        self._text = text


def _writer(parameter: BindParameter[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """What makes of a value that is told what the driver takes; none where it takes the value itself."""
    kind = parameter.type
    if isinstance(kind, ARRAY) and kind.item_type.python_type in _WORDS_OF_LISTS:
        return _WORDS_OF_LISTS[kind.item_type.python_type]
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _list_of_texts(values: Sequence[str | None]) -> str:
    return "{" + ",".join("NULL" if each is None else f'"{_QUOTED.sub(_ESCAPED, each)}"' for each in values) + "}"


def _list_of_numbers(values: Sequence[int | None]) -> str:
    return "{" + ",".join("NULL" if each is None else str(each) for each in values) + "}"


_QUOTED: Final = re.compile(r'(["\\])')
_ESCAPED: Final = r"\\\1"
_WORDS_OF_LISTS: Final[Mapping[type, Callable[[Any], str]]] = {str: _list_of_texts, int: _list_of_numbers}
"""PostgreSQL's own words for a list (its manual, 8.15.2): the driver takes six times as long to find them."""


@contextmanager
def told_together() -> Iterator[None]:
    """What is told by `Prepared.tell` within goes to the database as one statement, at the end of the outermost block.

    None of it may need what another part writes, but for a foreign key; nor may what is asked within the block. Nothing
    may be told inside a savepoint within it: what the savepoint undoes would be told all the same.
    """
    info = current().info
    if _WAITING in info:
        yield
        return
    waiting: list[tuple[Prepared, dict[str, Any]]] = []
    info[_WAITING] = waiting
    try:
        yield
    finally:
        del info[_WAITING]
    if waiting:
        _tell_all(waiting)


def _tell_all(waiting: Sequence[tuple[Prepared, dict[str, Any]]]) -> None:
    within = held()
    parts = [prepared.as_sent(within.dialect, told) for prepared, told in waiting]
    values = {f"{name}_{number}": value for number, (_, told) in enumerate(parts) for name, value in told.items()}
    within.ask(_joined(tuple(text for text, _ in parts)), values, tuple_row, keep=False)


@lru_cache(500)
def _joined(texts: tuple[str, ...]) -> str:
    """One statement out of several. Whatever changes rows is run; a SELECT only if it is asked for.

    Only what is volatile in it then, such as the call of a function that writes. Of any other beginning nobody could
    say which of them it is: it would perhaps never be run.
    """
    assert all(text.startswith(_TOLD) for text in texts), "what is told begins with SELECT, INSERT, UPDATE or DELETE"
    named = [_NAME.sub(rf"%(\1_{number})s", text) for number, text in enumerate(texts)]
    parts = ", ".join(f"part_{number} AS ({text})" for number, text in enumerate(named))
    asked = [
        f"(SELECT count(*) FROM part_{number})"  # noqa: S608 - a number
        for number, text in enumerate(texts)
        if text.startswith("SELECT")
    ]
    return f"WITH {parts} SELECT {', '.join(asked)}"


def told_rows(table: Table, names: Sequence[str]) -> Select[*tuple[Any, ...]]:
    """Rows told column by column, each column a list by its name: one text for any number of rows.

    For an `insert(table).from_select(names, told_rows(table, names))`.
    """
    lists = [bindparam(name, type_=ARRAY(table.c[name].type)) for name in names]
    return select(*func.unnest(*lists).table_valued(*names).render_derived().c)


def as_read(row: T) -> T:
    """A mapped row that a `Prepared` wrote, with all its columns: from now on as if the session had read it."""
    make_transient_to_detached(row)
    current().add(row)
    return row


def apart(model: type[Model], told: Mapping[str, Any]) -> Model:
    """A mapped row that a `Prepared` wrote, with all its columns, for whoever only reads it: of no session."""
    made = cast("Model", inspect(model).class_manager.new_instance())
    made.__dict__.update(told)
    make_transient_to_detached(made)
    return made


class Whole(Generic[Model]):
    """All columns of a model with an id, within a `Prepared` that reads others too: under `name`, as mapped rows."""

    def __init__(self, model: type[Model], name: str) -> None:
        self._mapper = inspect(model)
        self._named = {f"{name}_{key}": (key, column) for key, column in self._mapper.columns.items()}
        self._id = f"{name}_id"

    @property
    def columns(self) -> list[Label[Any]]:
        """What to select."""
        return [column.label(name) for name, (_, column) in self._named.items()]

    def id_in(self, table: FromClause) -> ColumnElement[int]:
        """The id's column, where a part of the statement selected `columns`."""
        return table.c[self._id]

    def of(self, rows: Sequence[Any]) -> list[Model]:
        """The mapped rows, each once, by id, as if the session had read them anew just now: it was flushed before."""
        found = {getattr(row, self._id): row for row in rows}
        return [self._mapped(number, found[number]) for number in sorted(found)]

    def _mapped(self, number: int, row: Any) -> Model:
        told = {key: getattr(row, name) for name, (key, _) in self._named.items()}
        known = current().identity_map.get(self._mapper.identity_key_from_primary_key((number,)))
        if known is None:
            made = self._mapper.class_manager.new_instance()
            made.__dict__.update(told)
            return as_read(cast("Model", made))
        for key, value in told.items():
            set_committed_value(known, key, value)
        return cast("Model", known)
