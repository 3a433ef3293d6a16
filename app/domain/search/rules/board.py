"""The board: the public city in memory, as one process knows it, and how a lot is found on it."""

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile
from math import dist, inf
from operator import itemgetter
from typing import Any, Final

from app.domain.lots.rules import Curfew
from app.domain.search.rules.bays import NEVER, Gaps
from app.domain.search.rules.grid import Grid, Spot, chord, metres, spot
from app.domain.search.rules.price_book import PriceBook
from app.domain.search.rules.timetable import Timetable

METRE: Final = chord(1.0)


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
    timetable: Timetable
    gaps: Gaps
    prices: PriceBook
    curfew: Curfew | None = None
    stale_at: datetime = NEVER
    """When a hold, an announcement or an operator's term ends by itself: then this state is not true any more."""
    memo: dict[Any, Any] = field(default_factory=dict)
    spot: Spot = field(init=False)

    def __post_init__(self) -> None:
        """Know what would otherwise be reckoned in each search."""
        self.spot = spot(self.latitude, self.longitude)

    def lets_in(self, begins_at: datetime, ends_at: datetime) -> bool:
        """Whether a car may come and go at the ends of a span; says nothing of open hours."""
        return self.takes_cars and (self.curfew is None or not self.curfew.forbids(begins_at, ends_at))

    def free(self, begins_at: datetime, ends_at: datetime) -> int:
        """How many bays of each kind are free for the whole span, in one sum: see `Kinds.counts`.

        None while the lot is shut for part of it, or when a car would come or go while none may move.
        """
        if not (self.timetable.is_open(begins_at, ends_at) and self.lets_in(begins_at, ends_at)):
            return 0
        return self.gaps.free(begins_at.timestamp(), ends_at.timestamp())


Found = tuple[int, int, BoardLot]
"""A lot's distance in whole metres, its id and the lot: sorts by distance, then by age."""
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
        here, reach = spot(latitude, longitude), chord(radius_m + 0.5)
        near: list[tuple[float, int, BoardLot]] = []
        for seen_m, lots in self.grid.rings(latitude, longitude, limit):
            near += [
                (far, lot.id, lot)
                for lot in lots
                if (far := dist(here, lot.spot)) <= reach
                and (after is None or (round(metres(far)), lot.id) > after)
                and (wanted is None or wanted(lot))
            ]
            near.sort(key=itemgetter(0))
            if seen_m > radius_m or (len(near) >= limit and near[limit - 1][0] < chord(seen_m - 1)):
                break
        return _the_nearest(near, limit)

    def within(
        self, south: float, west: float, north: float, east: float, limit: int, wanted: Wanted | None = None
    ) -> list[Found]:  # fmt: skip
        """Lots in a rectangle, those nearest to its middle first."""
        middle = spot((south + north) / 2, (west + east) / 2)
        inside = (lot for lot in self.grid.within(south, west, north, east) if wanted is None or wanted(lot))
        return sorted((round(metres(dist(middle, lot.spot))), lot.id, lot) for lot in inside)[:limit]

    def speaking_of(
        self, words: str, latitude: float, longitude: float, limit: int, wanted: Wanted | None = None
    ) -> list[Found]:  # fmt: skip
        """Lots whose name, address or unit holds all of the words, the nearest first."""
        parts, here = words.split(), spot(latitude, longitude)
        return sorted(
            (round(metres(dist(here, lot.spot))), lot.id, lot)
            for lot in self._that_take_cars()
            if all(part in lot.words for part in parts) and (wanted is None or wanted(lot))
        )[:limit]

    def stale(self, now: datetime) -> list[int]:
        """Lots whose state ended by itself."""
        return [lot.id for lot in self.lots.values() if lot.stale_at <= now]

    def _that_take_cars(self) -> Iterator[BoardLot]:
        return (lot for lot in list(self.lots.values()) if lot.takes_cars)


def _the_nearest(near: Sequence[tuple[float, int, BoardLot]], limit: int) -> list[Found]:
    """The first of what is sorted by chord, in the order of whole metres: those within a metre may change places."""
    last = near[limit - 1][0] + METRE if len(near) >= limit else inf
    close = takewhile(lambda each: each[0] <= last, near)
    return sorted([(round(metres(far)), lot_id, lot) for far, lot_id, lot in close])[:limit]


def _place(lot: BoardLot | None) -> tuple[float, float] | None:
    """Where a lot stands on the map, if it does."""
    return (lot.latitude, lot.longitude) if lot is not None and lot.takes_cars else None
