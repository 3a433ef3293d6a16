"""Statements that are compiled once, for those few that every reservation and every decision at a gate asks.

Measured for the longest of them: 0.23 ms of processor time where `Session.execute` took 0.76. Anything else is plainer
with the session.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar, cast

from sqlalchemy import BindParameter, CursorResult, Dialect, Executable
from sqlalchemy.orm import make_transient_to_detached
from sqlalchemy.sql import visitors

from app.kernel.db import current

T = TypeVar("T")
NO_COPY: Final[Mapping[str, Any]] = {}


class Prepared:
    """A statement of a module: its constants are part of its text, what it names by `bindparam` is told each time.

    The constants are the program's own words, never what somebody sent. Rows are what the driver makes of the columns:
    no mapped rows, no spans. It runs in the running transaction and fails as everything else there.
    """

    def __init__(self, statement: Executable) -> None:
        self._statement = statement
        self._text: str | None = None
        self._written: list[tuple[str, Callable[[Any], Any]]] = []

    def __call__(self, **told: Any) -> CursorResult[Any]:
        """Ask it. Raises `KeyError` where a name is missing."""
        connection = current().connection()
        if self._text is None:
            self._compile(connection.dialect)
        for name, write in self._written:
            told[name] = write(told[name])
        return connection.exec_driver_sql(cast("str", self._text), told)

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
        writers = ((name, each.type.dialect_impl(dialect).bind_processor(dialect)) for name, each in named.items())
        self._written = [(name, write) for name, write in writers if write is not None]
        self._text = text


def as_read(row: T) -> T:
    """A mapped row that a `Prepared` wrote, with all its columns: from now on as if the session had read it."""
    make_transient_to_detached(row)
    current().add(row)
    return row
