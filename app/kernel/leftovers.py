"""Removing what nobody needs any more, however much of it there is."""

from typing import Final

from sqlalchemy import ColumnElement, delete, select, tuple_

from app.kernel.base import Base
from app.kernel.db import affected, transaction

AT_ONCE: Final = 20_000
"""So many rows go well within the time that a statement may take; what went stays gone if a later one fails."""


def forget(table: type[Base], over: ColumnElement[bool]) -> int:
    """Remove all rows of which `over` holds, some thousands in each transaction; returns how many."""
    gone = 0
    while (some := _forget_some(table, over)) == AT_ONCE:
        gone += some
    return gone + some


def _forget_some(table: type[Base], over: ColumnElement[bool]) -> int:
    key = tuple_(*table.__table__.primary_key)
    with transaction():
        return affected(delete(table).where(key.in_(select(*key).where(over).limit(AT_ONCE))))
