"""A vendor's list knows a plate once, with one span of time: what it should hold, and how to bring it there."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.adapters.gates.words import ListRow as Held
from app.domain.gates.rules.lists import ListRow

UNTIL_IT_LEAVES: Final = timedelta(days=30)
"""A car inside is listed without an end; a vendor's list wants one."""

AUDITED_EVERY: Final = timedelta(seconds=60)
"""So often a list that is as desired is read back all the same: somebody may have reset the camera."""

ANSWER_WAITS: Final = timedelta(seconds=20)
"""After this a question about the list counts as lost."""

LONGEST_PAUSE: Final = timedelta(minutes=5)


@dataclass(frozen=True)
class Difference:
    """What a list lacks, and what it should no longer hold. In this order: so it is never empty in between."""

    put: tuple[Held, ...]
    drop: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.put or self.drop)


def wanted(rows: Iterable[ListRow], now: datetime) -> dict[str, Held]:
    """One row for each plate: of several promises the one that ends first, joined with what touches it."""
    spans: dict[str, list[Held]] = {}
    for row in rows:
        held = _held(row)
        if held.ends_at > now:
            spans.setdefault(held.plate, []).append(held)
    return {plate: _first(several) for plate, several in spans.items()}


def _held(row: ListRow) -> Held:
    begins_at = datetime.fromisoformat(row.not_before)
    ends_at = datetime.fromisoformat(row.not_after) if row.not_after else begins_at + UNTIL_IT_LEAVES
    return Held(row.plate, begins_at, ends_at)


def _first(several: Iterable[Held]) -> Held:
    first, *others = sorted(several, key=lambda row: row.begins_at)
    for other in others:
        if other.begins_at <= first.ends_at:
            first = Held(first.plate, first.begins_at, max(first.ends_at, other.ends_at))
    return first


def difference(want: Mapping[str, Held], held: Mapping[str, Held], ours: Collection[str]) -> Difference:
    """How a list must change. A row that is not ours stays as it is, whoever wants what of its plate."""
    put = [row for plate, row in want.items() if held.get(plate) != row and (plate in ours or plate not in held)]
    drop = [plate for plate in ours if plate in held and plate not in want]
    return Difference(tuple(sorted(put, key=lambda row: row.begins_at)), tuple(sorted(drop)))


def is_level(want: Mapping[str, Held], held: Mapping[str, Held], ours: Collection[str]) -> bool:
    """Whether a list that was read back lets in whom it should, and of ours nobody else.

    A row of somebody else's is enough where it lets the car in for all of the promised time.
    """
    served = all(plate in held and _covers(held[plate], row, plate in ours) for plate, row in want.items())
    return served and not any(plate in held and plate not in want for plate in ours)


def _covers(held: Held, row: Held, ours: bool) -> bool:
    if ours:
        return held == row
    return held.begins_at <= row.begins_at and row.ends_at <= held.ends_at


def pause(failures: int) -> timedelta:
    """How long a list that will not take our rows is left alone, after so many readings in a row that were wrong."""
    return min(timedelta(seconds=2 ** min(failures, 10)), LONGEST_PAUSE) if failures > 1 else timedelta()
