"""The nearest things on a map: cells with a few things each, looked through in growing rings."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import asin, cos, radians, sin, sqrt
from typing import Final, Generic, Protocol, TypeVar

EARTH_RADIUS_M: Final = 6_371_008.8
DEGREE: Final = radians(1)
HALF_DEGREE: Final = DEGREE / 2
METRES_PER_DEGREE: Final = EARTH_RADIUS_M * DEGREE
PER_CELL: Final = 6
"""So many things lie in a cell on average, however large the city is."""


class Placed(Protocol):
    """A thing on the map, in degrees of one datum."""

    @property
    def latitude(self) -> float: ...
    @property
    def longitude(self) -> float: ...


Thing = TypeVar("Thing", bound=Placed)
Cell = tuple[int, int]


def metres(latitude: float, longitude: float, thing: Placed) -> float:
    """Great-circle distance (haversine) to a thing, good to a metre at the size of a city."""
    north = sin((thing.latitude - latitude) * HALF_DEGREE)
    east = sin((thing.longitude - longitude) * HALF_DEGREE)
    square = north * north + cos(latitude * DEGREE) * cos(thing.latitude * DEGREE) * east * east
    return 2 * EARTH_RADIUS_M * asin(sqrt(square))


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

    def rings(self, latitude: float, longitude: float) -> Iterator[tuple[float, list[Thing]]]:
        """The things around a point, ring after ring; with each ring how many metres are now seen whole.

        Ends when all things were given. A point far away begins at the first ring that holds anything.
        """
        row, column = self.cell(latitude, longitude)
        first = self._first_ring(row, column)
        for ring in range(first, first + 2 * self.reach + 2):
            found = [thing for cell in _ring(row, column, ring) for thing in self.cells.get(cell, ())]
            yield self._seen_m(latitude, longitude, row, column, ring), found

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

    def _first_ring(self, row: int, column: int) -> int:
        if not self.cells or (row, column) in self.cells:
            return 0
        return min(max(abs(row - each[0]), abs(column - each[1])) for each in self.cells)

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


def _ring(row: int, column: int, ring: int) -> Iterator[Cell]:
    """The cells at a distance of `ring` steps, corners included."""
    if ring == 0:
        yield row, column
        return
    for step in range(-ring, ring + 1):
        yield row - ring, column + step
        yield row + ring, column + step
    for step in range(-ring + 1, ring):
        yield row + step, column - ring
        yield row + step, column + ring
