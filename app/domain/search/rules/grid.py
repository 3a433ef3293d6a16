"""The nearest things on a map: cells with a few things each, looked through in growing rings."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from math import asin, ceil, cos, pi, radians, sin, sqrt
from typing import Final, Generic, Protocol, TypeVar

EARTH_RADIUS_M: Final = 6_371_008.8
DEGREE: Final = radians(1)
HALF_TURN: Final = pi / 2
METRES_PER_DEGREE: Final = EARTH_RADIUS_M * DEGREE
PER_CELL: Final = 2
"""So many things lie in a cell on average, however large the city is: a page of twenty is found in three rings."""


Spot = tuple[float, float, float]
"""A place on a sphere of radius one: distances between two of them are quickly told."""


class Placed(Protocol):
    """A thing on the map, in degrees of one datum."""

    @property
    def latitude(self) -> float: ...
    @property
    def longitude(self) -> float: ...


Thing = TypeVar("Thing", bound=Placed)
Cell = tuple[int, int]


def spot(latitude: float, longitude: float) -> Spot:
    """Where a point in degrees lies on the sphere."""
    north, east = latitude * DEGREE, longitude * DEGREE
    return cos(north) * cos(east), cos(north) * sin(east), sin(north)


def metres(chord: float) -> float:
    """The great-circle distance between two places, of which `math.dist` tells the chord; good to a metre in a city."""
    return 2 * EARTH_RADIUS_M * asin(min(chord / 2, 1.0))


def chord(metres: float) -> float:
    """The other way round; no less than nothing, no more than the whole globe's."""
    return 2 * sin(min(max(metres, 0.0) / EARTH_RADIUS_M / 2, HALF_TURN))


@dataclass
class Grid(Generic[Thing]):
    """Things by cells of `side` degrees, both ways."""

    side: float
    cells: dict[Cell, list[Thing]] = field(default_factory=dict)
    reach: int = 0
    """No cell is farther than so many rings from any other."""

    @classmethod
    def of(cls, things: Iterable[Thing]) -> "Grid[Thing]":
        """A grid whose cells are as small as the things lie close."""
        placed = list(things)
        grid = cls(_side(placed))
        for each in placed:
            grid.cells.setdefault(grid.cell(each.latitude, each.longitude), []).append(each)
        rows, columns = [row for row, _ in grid.cells], [column for _, column in grid.cells]
        if placed:
            grid.reach = max(max(rows) - min(rows), max(columns) - min(columns)) + 1
        return grid

    def cell(self, latitude: float, longitude: float) -> Cell:
        """In which cell a point lies."""
        return int(latitude // self.side), int(longitude // self.side)

    def replace(self, old: Thing, new: Thing) -> None:
        """Put a thing in the place of another that lies at the same point."""
        cell = self.cells[self.cell(old.latitude, old.longitude)]
        cell[cell.index(old)] = new

    def rings(self, latitude: float, longitude: float, likely: int) -> Iterator[tuple[float, list[Thing]]]:
        """The things around a point, ring after ring; with each how many metres are now seen whole.

        The first rings come at once: as many as `likely` things lie in. A point far away goes on at the first ring that
        holds anything. Ends when all things were given.
        """
        row, column = self.cell(latitude, longitude)
        ring, first = min(_reach(likely), self.reach), 0
        things = self._things(row, column, _disc(ring))
        if not things:
            first = self._first_ring(row, column)
            ring = max(ring, first - 1)
        while ring < first + 2 * self.reach + 2:
            yield self._seen_m(latitude, longitude, row, column, ring), things
            ring += 1
            things = self._things(row, column, _ring(ring))

    def within(self, south: float, west: float, north: float, east: float) -> Iterator[Thing]:
        """The things in a rectangle, its edges included."""
        (bottom, left), (top, right) = self.cell(south, west), self.cell(north, east)
        many = (top - bottom + 1) * (right - left + 1) > len(self.cells)
        cells = (
            self.cells
            if many
            else ((row, column) for row in range(bottom, top + 1) for column in range(left, right + 1))
        )
        for cell in cells:
            for thing in self.cells.get(cell, ()):
                if south <= thing.latitude <= north and west <= thing.longitude <= east:
                    yield thing

    def _things(self, row: int, column: int, steps: Sequence[Cell]) -> list[Thing]:
        """What lies so many cells away."""
        cells = [self.cells.get((row + up, column + right), ()) for up, right in steps]
        return [thing for cell in cells for thing in cell]

    def _first_ring(self, row: int, column: int) -> int:
        """The nearest ring that holds anything; it looks at all cells, so only whoever found nothing near asks."""
        return min((max(abs(row - each[0]), abs(column - each[1])) for each in self.cells), default=0)

    def _seen_m(self, latitude: float, longitude: float, row: int, column: int, ring: int) -> float:
        """How far one may look in every direction without leaving the rings seen so far."""
        south, north = (row - ring) * self.side, (row + ring + 1) * self.side
        west, east = (column - ring) * self.side, (column + ring + 1) * self.side
        upright = min(latitude - south, north - latitude) * METRES_PER_DEGREE
        widest = max(abs(south), abs(north))
        level = min(longitude - west, east - longitude) * METRES_PER_DEGREE * cos(radians(min(widest, 89.0)))
        return min(upright, level) * 0.999


def _side(things: list[Thing]) -> float:
    if not things:
        return 1.0
    heights = [each.latitude for each in things]
    widths = [each.longitude for each in things]
    area = max(max(heights) - min(heights), 1e-3) * max(max(widths) - min(widths), 1e-3)
    return max(sqrt(area * PER_CELL / len(things)), 1e-4)


@cache
def _reach(likely: int) -> int:
    """How many rings around its own cell likely hold so many things."""
    return ceil(sqrt(likely / (pi * PER_CELL)))


@lru_cache(16)
def _disc(ring: int) -> Sequence[tuple[int, int]]:
    """All the steps of the rings up to one."""
    return [step for each in range(ring + 1) for step in _ring(each)]


@lru_cache(256)
def _ring(ring: int) -> Sequence[tuple[int, int]]:
    """The steps up and to the right that lead to the cells at a distance of `ring`, corners included."""
    if ring == 0:
        return [(0, 0)]
    edges, sides = range(-ring, ring + 1), range(-ring + 1, ring)
    return [
        *((up, right) for right in edges for up in (-ring, ring)),
        *((up, right) for up in sides for right in (-ring, ring)),
    ]
