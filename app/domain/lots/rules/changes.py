"""What must be written so that windows say what they should: as little as possible, and never two at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from app.domain.lots.rules.windows import Span


@dataclass
class WindowChanges:
    """What becomes of rows by their ids, and what is new. Done in this order, no two windows ever overlap."""

    removed: list[int] = field(default_factory=list)
    shrunk: list[tuple[int, Span]] = field(default_factory=list)
    grown: list[tuple[int, Span]] = field(default_factory=list)
    added: list[Span] = field(default_factory=list)

    def __len__(self) -> int:
        return len({*self.removed, *(row for row, _ in self.shrunk), *(row for row, _ in self.grown)}) + len(self.added)


def changes(written: Sequence[tuple[int, Span]], wanted: Sequence[Span], since: datetime) -> WindowChanges:
    """From the rows that end after `since` to the spans wanted from then on, both in order.

    What lies before `since` has been: a window that was open then keeps its beginning.
    """
    found = WindowChanges()
    left = list(_with_the_past(written, wanted, since))
    for row, now in written:
        while left and left[0].ends_at <= now.begins_at:
            found.added.append(left.pop(0))
        if left and left[0].begins_at < now.ends_at:
            _become(found, row, now, left.pop(0))
        else:
            found.removed.append(row)
    found.added += left
    return found


def _with_the_past(written: Sequence[tuple[int, Span]], wanted: Sequence[Span], since: datetime) -> list[Span]:
    if not written or written[0][1].begins_at >= since:
        return list(wanted)
    began_at = written[0][1].begins_at
    if wanted and wanted[0].begins_at <= since:
        return [Span(began_at, wanted[0].ends_at), *wanted[1:]]
    return [Span(began_at, since), *wanted]


def _become(found: WindowChanges, row: int, now: Span, then: Span) -> None:
    common = Span(max(now.begins_at, then.begins_at), min(now.ends_at, then.ends_at))
    if common != now:
        found.shrunk.append((row, common))
    if then != common:
        found.grown.append((row, then))
