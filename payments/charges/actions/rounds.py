"""Rounds of sweepers: due rows are taken one by one, each by one sweeper, and WeChat is asked about each."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from app.kernel import clock
from app.kernel.base import Base
from app.kernel.db import transaction
from app.kernel.rounds import each_alone

LEASE = timedelta(minutes=2)


def one_round(model: type[Base], check: Callable[[int], bool], limit: int) -> int:
    """Check up to `limit` rows whose `next_check_at` has come, the longest due first; returns how many.

    Outside any transaction; several rounds may run at once. `check` says whether WeChat answered at all: the round ends
    early when it is silent, so that other due work need not wait for each row's timeout. A row that fails does not
    stop the others: it is due again after its lease, and all failures are raised together at the end. Only when the
    database itself is away the round ends at once.
    """
    heard = True

    def due() -> Iterator[int]:
        for _ in range(limit):
            row_id = _lease(model) if heard else None
            if row_id is None:
                return
            yield row_id

    def ask(row_id: int) -> None:
        nonlocal heard
        heard = check(row_id)

    return each_alone(due(), ask)


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
