"""Whitelists (白名单): one line on the wire, and the digest by which both sides know that they hold the same."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

LIST_REACH = timedelta(hours=48)
"""How far ahead a gate's list reaches: long enough for a night without network, short enough to be small."""


def is_within_reach(admit_from: datetime, now: datetime) -> bool:
    """Whether a promise stands on the list already; one that begins later is found when a gate compares by then."""
    return admit_from < now + LIST_REACH


@dataclass(frozen=True)
class ListRow:
    """One line of a gate's whitelist (白名单), field by field as it goes over the wire."""

    row_id: str
    plate: str
    colour: str
    not_before: str
    not_after: str
    direction: str


def wire_time(at: datetime | None) -> str:
    """`2026-03-01T08:00:00Z`, whole seconds; empty for 'until the row is removed'."""
    return "" if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def list_digest(rows: Iterable[ListRow]) -> str:
    """SHA-256 over the rows in order of `row_id`: fields joined by tabs, each row ended by a line feed."""
    lines = sorted(_line(row) for row in rows)
    return sha256("".join(lines).encode()).hexdigest()


def _line(row: ListRow) -> str:
    return f"{row.row_id}\t{row.plate}\t{row.colour}\t{row.not_before}\t{row.not_after}\t{row.direction}\n"
