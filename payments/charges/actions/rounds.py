"""Rounds of sweepers: due rows are taken one by one, each by one sweeper, and WeChat is asked about each."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from app.kernel import clock
from app.kernel.base import Base
from app.kernel.db import is_away, transaction

LEASE = timedelta(minutes=2)


def one_round(model: type[Base], check: Callable[[int], bool], limit: int) -> int:
    """Check up to `limit` rows whose `next_check_at` has come, the longest due first; returns how many.

    Outside any transaction; several rounds may run at once. `check` says whether WeChat answered at all: the round ends
    early when it is silent, so that other due work need not wait for each row's timeout. A row that fails does not
    stop the others: it is due again after its lease, and all failures are raised together at the end. Only when the
    database itself is away the round ends at once.
    """
    checked, failures, heard = 0, list[Exception](), True
    while heard and checked < limit and (row_id := _lease(model)) is not None:
        checked += 1
        try:
            heard = check(row_id)
        except Exception as failure:
            if is_away(failure):
                raise
            failures.append(failure)
    if failures:
        raise ExceptionGroup(f"rows of {model.__tablename__} could not be checked", failures)
    return checked


def _lease(model: Any) -> int | None:
    """Claim one due row until `LEASE` has passed, so that no other sweeper takes it meanwhile."""
    with transaction() as session:
        now = clock.now()
        due = select(model).where(model.next_check_at <= now).order_by(model.next_check_at).limit(1)
        row = session.scalar(due.with_for_update(skip_locked=True))
        if row is None:
            return None
        row.next_check_at = now + LEASE
        found: int = row.id
        return found
