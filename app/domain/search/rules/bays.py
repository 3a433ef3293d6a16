"""How many bays are free for a span: the gaps between what is taken, sorted, and counted from one end."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Final

Busy = tuple[datetime, datetime]
"""A half-open span [begins_at, ends_at) for which a bay is taken or closed."""

EVER: Final = datetime.min.replace(tzinfo=UTC)
NEVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Gaps:
    """The free times of some bays, by their begin; a bay has at most one that holds a given span."""

    begins: Sequence[datetime]
    ends: Sequence[datetime]

    @classmethod
    def of(cls, bays: Iterable[Iterable[Busy]]) -> "Gaps":
        """The gaps of bays, each told as the spans for which it is taken, in any order; they may overlap."""
        gaps = sorted(gap for busy in bays for gap in _gaps(busy))
        return cls([begin for begin, _ in gaps], [end for _, end in gaps])

    def free(self, begins_at: datetime, ends_at: datetime) -> int:
        """How many of the bays are free for all of [begins_at, ends_at)."""
        begun = bisect_right(self.begins, begins_at)
        return sum(map(ends_at.__le__, islice(self.ends, begun)))


def _gaps(busy: Iterable[Busy]) -> Iterable[Busy]:
    free_from = EVER
    for begins_at, ends_at in sorted(busy):
        if begins_at > free_from:
            yield free_from, begins_at
        free_from = max(free_from, ends_at)
    yield free_from, NEVER
