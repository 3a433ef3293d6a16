"""The board: the public city in memory, as one process knows it, and how a lot is found on it."""

import uuid
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice, takewhile
from typing import Any, NamedTuple

from app.domain.lots.rules import Curfew
from app.domain.pricing.rules.proofs.combining import LOWEST
from app.domain.search.rules.bays import EVER, NEVER, Gaps
from app.domain.search.rules.grid import Grid, metres

Window = tuple[datetime, datetime]


class Dated(NamedTuple):
    """A tariff that holds from a moment until another; `splits`: it takes over the stays that run when it begins."""

    begins_at: datetime
    ends_at: datetime
    tariff_id: int
    splits: bool = False


class DatedRule(NamedTuple):
    """A rule of combining references; of those that hold at a moment the one with the lowest `rank` counts."""

    rank: int
    begins_at: datetime
    ends_at: datetime
    rule: str


class PriceSet(NamedTuple):
    """Which tariffs decide what a stay costs: the lot's own with the moments from which they do, and those that cap it.

    Lots that charge alike have equal sets, whenever their first tariff began.
    """

    own: tuple[tuple[datetime, int], ...]
    references: tuple[int, ...]
    rule: str = LOWEST


@dataclass(slots=True, eq=False)
class BoardLot:
    """One lot as a search knows it; replaced as a whole when anything about it changes.

    `told` are the facts that do not hang on the span that is asked for. `memo` is for whoever shows the lot: few things
    that do not hang on the span either, kept as long as this state of the lot.
    """

    id: int
    latitude: float
    longitude: float
    told: Mapping[str, Any]
    words: str
    """Name, address and unit in one normal form, to search in."""
    takes_cars: bool
    windows: Sequence[Window]
    gaps: Mapping[str, Gaps]
    own: Sequence[Dated]
    references: Sequence[Dated]
    rules: Sequence[DatedRule] = ()
    curfew: Curfew | None = None
    stale_at: datetime = NEVER
    """When a hold, an announcement or an operator's term ends by itself: then this state is not true any more."""
    memo: dict[Any, Any] = field(default_factory=dict)

    def windows_on(self, begins_at: datetime, ends_at: datetime) -> list[Window]:
        """The windows that touch [begins_at, ends_at), cut to it."""
        first = max(bisect_right(self.windows, (begins_at, NEVER)) - 1, 0)
        touching = takewhile(lambda window: window[0] < ends_at, islice(self.windows, first, None))
        return [(max(opens, begins_at), min(closes, ends_at)) for opens, closes in touching if closes > begins_at]

    def window_at(self, at: datetime) -> Window | None:
        """The open window that holds a moment."""
        place = bisect_right(self.windows, (at, NEVER)) - 1
        return self.windows[place] if place >= 0 and self.windows[place][1] > at else None

    def is_open(self, begins_at: datetime, ends_at: datetime) -> bool:
        """Whether the lot is open for all of a span."""
        window = self.window_at(begins_at)
        return window is not None and ends_at <= window[1]

    def next_opening(self, after: datetime) -> datetime | None:
        """When the lot opens next after a moment."""
        place = bisect_right(self.windows, (after, NEVER))
        return self.windows[place][0] if place < len(self.windows) else None

    def free(self, begins_at: datetime, ends_at: datetime, kinds: Iterable[str]) -> int:
        """How many bays of some kinds are free for the whole span.

        None when the lot is shut for part of it, or when it begins or ends while no car may move.
        """
        if not self.takes_cars or not self.is_open(begins_at, ends_at):
            return 0
        if self.curfew is not None and self.curfew.forbids(begins_at, ends_at):
            return 0
        return sum(self.gaps[kind].free(begins_at, ends_at) for kind in kinds if kind in self.gaps)

    def prices(self, begins_at: datetime, ends_at: datetime) -> PriceSet | None:
        """The tariffs that count for a stay [begins_at, ends_at)."""
        first = next((each.tariff_id for each in self.own if each.begins_at <= begins_at < each.ends_at), None)
        if first is None:
            return None
        later = (each for each in self.own if each.splits and begins_at < each.begins_at < ends_at)
        around = (each.tariff_id for each in self.references if each.begins_at <= begins_at < each.ends_at)
        rules = [each for each in self.rules if each.begins_at <= begins_at < each.ends_at]
        return PriceSet(
            ((EVER, first), *((each.begins_at, each.tariff_id) for each in later)), tuple(around),
            min(rules).rule if rules else LOWEST,
        )  # fmt: skip


class Found(NamedTuple):
    """A lot and its distance in whole metres; sorts by distance, then by age."""

    distance_m: int
    lot_id: int
    lot: BoardLot


Wanted = Callable[[BoardLot], bool]


@dataclass
class Board:
    """All public lots by id, and where they lie."""

    lots: dict[int, BoardLot] = field(default_factory=dict)
    keys: dict[uuid.UUID, int] = field(default_factory=dict)
    grid: Grid[BoardLot] = field(default_factory=lambda: Grid(1.0))

    def put(self, changed: Iterable[int], known: Mapping[int, BoardLot]) -> None:
        """Replace what is known of some lots; one that is not known any more is gone."""
        moved = False
        for lot_id in changed:
            old, new = self.lots.get(lot_id), known.get(lot_id)
            if new is not None:
                self.lots[lot_id] = new
                self.keys[new.told["key"]] = lot_id
            else:
                self.lots.pop(lot_id, None)
            if _place(old) != _place(new):
                moved = True
            elif old is not None and new is not None and new.takes_cars and not moved:
                self.grid.replace(old, new)
        if moved:
            self.grid = Grid.of(self._that_take_cars())

    def by_key(self, key: uuid.UUID) -> BoardLot | None:
        """The public lot with this key."""
        return self.lots.get(self.keys.get(key, 0))

    def nearest(
        self, latitude: float, longitude: float, radius_m: int, after: tuple[int, int] | None, limit: int,
        wanted: Wanted | None = None,
    ) -> list[Found]:  # fmt: skip
        """Lots within a radius, the nearest first; `after` is the (distance, id) of the last one already seen."""
        found: list[Found] = []
        for seen_m, lots in self.grid.rings(latitude, longitude):
            for lot in lots:
                distance = round(metres(latitude, longitude, lot))
                if distance > radius_m or (after is not None and (distance, lot.id) <= after):
                    continue
                if wanted is None or wanted(lot):
                    found.append(Found(distance, lot.id, lot))
            if seen_m > radius_m or (len(found) >= limit and sorted(found)[limit - 1].distance_m < seen_m - 1):
                break
        return sorted(found)[:limit]

    def within(
        self, south: float, west: float, north: float, east: float, limit: int, wanted: Wanted | None = None
    ) -> list[Found]:  # fmt: skip
        """Lots in a rectangle, those nearest to its middle first."""
        middle = (south + north) / 2, (west + east) / 2
        inside = (lot for lot in self.grid.within(south, west, north, east) if wanted is None or wanted(lot))
        return sorted(Found(round(metres(*middle, lot)), lot.id, lot) for lot in inside)[:limit]

    def speaking_of(
        self, words: str, latitude: float, longitude: float, limit: int, wanted: Wanted | None = None
    ) -> list[Found]:  # fmt: skip
        """Lots whose name, address or unit holds all of the words, the nearest first."""
        parts = words.split()
        return sorted(
            Found(round(metres(latitude, longitude, lot)), lot.id, lot)
            for lot in self._that_take_cars()
            if all(part in lot.words for part in parts) and (wanted is None or wanted(lot))
        )[:limit]

    def stale(self, now: datetime) -> list[int]:
        """Lots whose state ended by itself."""
        return [lot.id for lot in self.lots.values() if lot.stale_at <= now]

    def _that_take_cars(self) -> Iterator[BoardLot]:
        return (lot for lot in list(self.lots.values()) if lot.takes_cars)


def _place(lot: BoardLot | None) -> tuple[float, float] | None:
    """Where a lot stands on the map, if it does."""
    return (lot.latitude, lot.longitude) if lot is not None and lot.takes_cars else None
