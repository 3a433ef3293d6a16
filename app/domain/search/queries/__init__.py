"""Open bays for a span, with the fee: near a point, in a rectangle, by words. Up to 2 s stale: `reserve` asks again."""

import uuid
from dataclasses import dataclass
from typing import Final

from app.domain.lots.queries import LotNotFound, Point
from app.domain.search.queries.comparing import Asked, Bays, Hours, OpenLot, Part, Price, compared, prices_for
from app.domain.search.queries.glancing import who_looks
from app.domain.search.queries.keeping import NOW, Age, forget, fresh
from app.domain.search.queries.loading import normal
from app.domain.search.rules.board import BoardLot
from app.kernel.money import Fen
from app.kernel.refusals import Invalid

__all__ = [
    "Age",
    "Asked",
    "Bays",
    "Hours",
    "Needs",
    "OpenLot",
    "Part",
    "Price",
    "Rectangle",
    "RectangleTooLarge",
    "find_open",
    "find_speaking_of",
    "find_within",
    "forget",
    "fresh",
    "lot_page",
    "prices_for",
    "who_looks",
]

WIDEST_DEGREES: Final = 0.5


class RectangleTooLarge(Invalid):
    """The corners are swapped, or lie farther apart than a map of a city shows at once."""

    code = "rectangle_too_large"
    message = "地图范围有误或过大，请放大地图后重试"


@dataclass(frozen=True, slots=True)
class Needs:
    """What a lot must have to be listed; the vehicle's size is in centimetres, the fee in fen for the whole stay."""

    open_for_all: bool = False
    charging: bool = False
    accessible: bool = False
    height_cm: int | None = None
    length_cm: int | None = None
    most_fen: Fen | None = None

    def met_by(self, lot: BoardLot, asked: Asked) -> bool:
        """Whether the lot is worth listing for this stay; a lot without a known limit lets every vehicle in."""
        kinds = {kind for kind, needed in (("charging", self.charging), ("accessible", self.accessible)) if needed}
        fits = _fits(self.height_cm, lot.told["height_limit_cm"]) and _fits(self.length_cm, lot.told["length_limit_cm"])
        if not fits or not kinds.issubset(lot.gaps.kinds.names):
            return False
        if self.open_for_all and not lot.timetable.is_open(asked.begins_at, asked.ends_at):
            return False
        if self.most_fen is None:
            return True
        fee_fen = prices_for(asked).of(lot).fee_fen
        return fee_fen is not None and fee_fen <= self.most_fen


@dataclass(frozen=True, slots=True)
class Rectangle:
    """Part of a map between its south-western and north-eastern corners, GCJ-02 degrees."""

    south: float
    west: float
    north: float
    east: float

    def checked(self) -> "Rectangle":
        """The same. Refuses `RectangleTooLarge`."""
        if not (0 <= self.north - self.south <= WIDEST_DEGREES and 0 <= self.east - self.west <= WIDEST_DEGREES):
            raise RectangleTooLarge(widest_degrees=WIDEST_DEGREES)
        return self


def find_open(
    point: Point, asked: Asked, radius_m: int, after: tuple[int, int] | None, limit: int, needs: Needs | None = None,
    age: Age = NOW,
) -> list[OpenLot]:  # fmt: skip
    """Lots within `radius_m` metres, the nearest first; `after` is the (distance, lot id) of the last one seen.

    What is told is as old as `age` allows.
    """
    board = fresh(age)
    wanted = None if needs is None else lambda lot: needs.met_by(lot, asked)
    return compared(board.nearest(point.latitude, point.longitude, radius_m, after, limit, wanted), asked)


def find_within(
    rectangle: Rectangle, asked: Asked, limit: int, needs: Needs | None = None, age: Age = NOW
) -> list[OpenLot]:
    """Lots in part of a map, those nearest to its middle first. Refuses `RectangleTooLarge`."""
    part = rectangle.checked()
    wanted = None if needs is None else lambda lot: needs.met_by(lot, asked)
    return compared(fresh(age).within(part.south, part.west, part.north, part.east, limit, wanted), asked)


def find_speaking_of(
    words: str, point: Point, asked: Asked, limit: int, needs: Needs | None = None, age: Age = NOW
) -> list[OpenLot]:
    """Lots whose name, address or unit holds every one of the words, however wide or in which case they are written."""
    wanted = None if needs is None else lambda lot: needs.met_by(lot, asked)
    found = fresh(age).speaking_of(normal(words), point.latitude, point.longitude, limit, wanted)
    return compared(found, asked)


def lot_page(lot_key: uuid.UUID, asked: Asked, age: Age = NOW) -> OpenLot:
    """One lot that the public may see, for a span. Refuses `LotNotFound`."""
    lot = fresh(age).by_key(lot_key)
    if lot is None:
        raise LotNotFound
    return compared([(0, lot.id, lot)], asked)[0]


def _fits(size_cm: int | None, limit_cm: int | None) -> bool:
    return size_cm is None or limit_cm is None or size_cm <= limit_cm
