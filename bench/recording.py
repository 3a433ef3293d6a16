"""What the reserve action really sends: every statement of one transaction, with its values and its first row."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from unittest.mock import patch

import psycopg
from flask import Flask
from sqlalchemy import event

from app.kernel.held import Held

_begin = Held.begin


@dataclass(frozen=True)
class Sent:
    """One statement as the driver was given it; `row` is the first row of its answer by column name."""

    sql: str
    values: Mapping[str, Any] | Sequence[Any] | None
    row: Mapping[str, Any]


@contextmanager
def recording(app: Flask) -> Iterator[list[Sent]]:
    """Statements sent on new connections of this app, the job queue's among them, in their order.

    What is asked along with BEGIN is one of them: pgbench asks it by itself.
    """
    sent: list[Sent] = []
    engine = app.extensions["sqlalchemy"].engine
    cursor = _recording_cursor(sent)

    def listen(connection: psycopg.Connection[Any], _: Any) -> None:
        connection.cursor_factory = cursor

    def begin(held: Held) -> datetime | None:
        at = _begin(held)
        if at is not None:
            sent.append(Sent("SELECT clock_timestamp()", None, {"clock_timestamp": at}))
        return at

    event.listen(engine, "connect", listen)
    try:
        with patch.object(Held, "begin", begin):
            yield sent
    finally:
        event.remove(engine, "connect", listen)
        engine.dispose()


def _recording_cursor(sent: list[Sent]) -> type[psycopg.Cursor[Any]]:
    class RecordingCursor(psycopg.Cursor[Any]):
        def execute(self, query: Any, params: Any = None, **words: Any) -> "RecordingCursor":
            super().execute(query, params, **words)
            if query:  # the pool asks whether a connection still lives with an empty one
                sent.append(Sent(str(query), params, _first_row(self)))
            return self

    return RecordingCursor


def _first_row(cursor: psycopg.Cursor[Any]) -> Mapping[str, Any]:
    """Looked at, not taken."""
    if cursor.description is None or not cursor.rowcount:
        return {}
    row = cursor.fetchone()
    cursor.scroll(0, mode="absolute")
    names = [column.name for column in cursor.description]
    return row if isinstance(row, dict) else dict(zip(names, row or (), strict=False))
