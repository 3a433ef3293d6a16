"""Which references lie around a lot: within a radius, else the zone that the lot lies in (N3.3).

The notice names no distance; the radius is the city's number. What comes out is a proposal that a person approves.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import asin, cos, radians, sin, sqrt
from typing import Final, NamedTuple

EARTH_RADIUS_M: Final = 6_371_008.8
Point = tuple[float, float]
"""GCJ-02 latitude and longitude in degrees."""


class Known(NamedTuple):
    """A reference with the point of a lot, or the outline of a zone."""

    id: int
    name: str
    point: Point | None
    outline: Sequence[Point] = ()


class Near(NamedTuple):
    """A reference that bounds a lot, and how far away it lies in whole metres; a zone is no distance away."""

    id: int
    name: str
    distance_m: int | None


def surrounding(of: Point, known: Iterable[Known], radius_m: int) -> list[Near]:
    """The reference lots within the radius, the nearest first; without one, the smallest zone around the point."""
    all_known = list(known)
    lots = [Near(each.id, each.name, metres(of, each.point)) for each in all_known if each.point is not None]
    near = sorted((each for each in lots if within(each, radius_m)), key=lambda each: (each.distance_m, each.id))
    if near:
        return near
    zones = [each for each in all_known if each.point is None and holds(each.outline, of)]
    return [Near(each.id, each.name, None) for each in sorted(zones, key=lambda zone: area(zone.outline))[:1]]


def within(near: Near, radius_m: int) -> bool:
    """Whether a reference lies inside the radius; a zone always does."""
    return near.distance_m is None or near.distance_m <= radius_m


def metres(one: Point, other: Point) -> int:
    """Great-circle distance (haversine), good to a metre at the size of a city."""
    (north, east), (further_north, further_east) = one, other
    square = sin(radians(further_north - north) / 2) ** 2
    square += cos(radians(north)) * cos(radians(further_north)) * sin(radians(further_east - east) / 2) ** 2
    return round(2 * EARTH_RADIUS_M * asin(sqrt(square)))


def holds(outline: Sequence[Point], point: Point) -> bool:
    """Whether a point lies inside an outline: a line from it to the east crosses the edge an odd number of times."""
    north, east = point
    inside = False
    for (one_north, one_east), (other_north, other_east) in pairwise([*outline, *outline[:1]]):
        if (one_north > north) != (other_north > north):
            crossing = one_east + (north - one_north) / (other_north - one_north) * (other_east - one_east)
            inside ^= east < crossing
    return inside


def area(outline: Sequence[Point]) -> float:
    """How large an outline is, in square degrees: only to tell a smaller zone from one around it."""
    corners = pairwise([*outline, *outline[:1]])
    return abs(sum(one[1] * other[0] - other[1] * one[0] for one, other in corners)) / 2
