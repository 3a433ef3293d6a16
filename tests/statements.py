"""Counting what is asked of the database."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import psycopg

_execute = psycopg.Cursor.execute


@contextmanager
def statements() -> Iterator[list[str]]:
    """What this thread asks the database meanwhile: others have work of their own."""
    sent: list[str] = []
    ours = threading.get_ident()

    def execute(cursor: psycopg.Cursor[Any], query: Any, params: Any = None, **words: Any) -> Any:
        if str(query).strip(";") and threading.get_ident() == ours:  # the pool asks with `;` whether a connection lives
            sent.append(str(query))
        return _execute(cursor, query, params, **words)

    with patch.object(psycopg.Cursor, "execute", execute):
        yield sent


@contextmanager
def errors() -> Iterator[list[str]]:
    """The codes of all errors that the database answers with meanwhile, those that are tried again after too."""
    met: list[str] = []

    def execute(cursor: psycopg.Cursor[Any], query: Any, params: Any = None, **words: Any) -> Any:
        try:
            return _execute(cursor, query, params, **words)
        except psycopg.Error as error:
            met.append(str(error.sqlstate))
            raise

    with patch.object(psycopg.Cursor, "execute", execute):
        yield met
