"""What is told of a reference, and what makes no sense."""

import math
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.dialects.postgresql import Range

from app.domain.pricing.rules.surroundings import Point
from app.kernel.refusals import Invalid

FEWEST_CORNERS = 3
SOUTH, NORTH, WEST, EAST = 29.0, 31.0, 118.0, 121.0


class ReferenceWrong(Invalid):
    """A reference has a name, an approval number, dates in order, and a point or an outline in Hangzhou."""

    code = "reference_wrong"
    message = "参照须有名称、批准文号、先后有序的起止时间，以及位于杭州市的坐标（停车场）或边界（价区）"


@dataclass(frozen=True)
class NewReference:
    """What a document says of a reference: name, approval number, stored tariff, from when to when; GCJ-02 degrees.

    A government-priced lot has a point, a zone an outline of at least three corners.
    """

    name: str
    approval: str
    tariff_id: int
    valid: Range[datetime]
    point: Point | None = None
    outline: tuple[Point, ...] = ()

    @property
    def kind(self) -> str:
        return "zone" if self.point is None else "lot"

    def checked(self) -> "NewReference":
        """The same as it is kept. Refuses `ReferenceWrong`."""
        plain = replace(self, name=self.name.strip(), approval=self.approval.strip())
        corners = [self.point] if self.point is not None else self.outline
        is_placed = self.point is not None or len(self.outline) >= FEWEST_CORNERS
        if not (
            plain.name and plain.approval and is_placed and all(map(_is_in_hangzhou, corners)) and self._is_dated()
        ):
            raise ReferenceWrong(name=plain.name)
        return plain

    def _is_dated(self) -> bool:
        begins_at, ends_at = self.valid.lower, self.valid.upper
        return begins_at is not None and (ends_at is None or begins_at < ends_at)


def _is_in_hangzhou(point: Point) -> bool:
    north, east = point
    return math.isfinite(north) and math.isfinite(east) and SOUTH <= north <= NORTH and WEST <= east <= EAST
