"""The books are held against the events, hour by hour, and what is over is closed."""

from dataclasses import asdict
from datetime import date, time, timedelta
from typing import Any, Final

from app.domain.tasks.actions import open_task, settle_tasks
from app.kernel import audit, clock
from app.kernel.db import transaction
from payments.ledger.actions import close_day
from payments.ledger.queries import closed_through, drifts, open_days_before
from payments.parity.queries import differences

CLOSED_FROM: Final = time(1)
"""Yesterday is closed at one o'clock: whatever began before midnight has ended by then."""
PLATFORM: Final = "platform"
BOOKS: Final = ("ledger", 0)
DIFFER: Final = "books_differ"
"""The kind of task: books and events, or the days kept and the postings, do not agree."""
SHOWN: Final = 20


def check_books() -> int:
    """Hold the books against the events since the last closed day, and the days kept against the postings.

    Nothing differs: what is over is closed. Else nothing is closed, and people are alarmed. Returns how many
    differences; each run is an entry of the audit log.
    """
    found: list[dict[str, Any]] = [asdict(each) for each in differences(_first_open())]
    found += [asdict(each) for each in drifts()]
    with transaction():
        audit.record("finance.check_books", *BOOKS, PLATFORM, {"differences": len(found)})
        if found:
            open_task(DIFFER, *BOOKS, {"differences": len(found), "first": [_told(each) for each in found[:SHOWN]]})
            return len(found)
        settle_tasks(DIFFER, *BOOKS, "账实一致")
    close_days()
    return 0


def close_days() -> int:
    """Close every accounting day that is over, in order; returns how many."""
    now = clock.shanghai(clock.now())
    today = now.date() if now.time() >= CLOSED_FROM else now.date() - timedelta(days=1)
    days = open_days_before(today)
    for day in days:
        close_day(day, PLATFORM)
    return len(days)


def _first_open() -> date:
    """What is closed was proved before it was closed; the last closed day is looked at once more."""
    return closed_through() or date.min


def _told(found: dict[str, Any]) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, date) else value for name, value in found.items()}
