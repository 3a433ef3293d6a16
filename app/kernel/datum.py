"""Two datums of China: WGS-84, as satellites tell it, and GCJ-02 (国测局坐标), shifted by law, as all maps there are.

Points here are (latitude, longitude) in degrees. The platform keeps GCJ-02 alone; what comes or goes in WGS-84 is
converted at the door. The shift itself is not published; this is the formula that public map libraries share.
"""

from math import pi, sin, sqrt

Point = tuple[float, float]

DATUMS = ("WGS-84", "GCJ-02")
_KRASOVSKY_M, _ECCENTRICITY = 6378245.0, 0.00669342162296594323
_SOUTH, _NORTH, _WEST, _EAST = 0.8293, 55.8271, 72.004, 137.8347
"""Outside of this box nothing is shifted."""

_CLOSE_ENOUGH = 1e-9
"""Degrees: a tenth of a millimetre."""


def wgs84_to_gcj02(latitude: float, longitude: float) -> Point:
    """Where the city's maps show a point that a satellite receiver tells; a point outside China stays as it is."""
    north, east = _shift(latitude, longitude)
    return latitude + north, longitude + east


def gcj02_to_wgs84(latitude: float, longitude: float) -> Point:
    """The other way, by iteration: `wgs84_to_gcj02` of the answer is the given point to well below a metre."""
    there = (latitude, longitude)
    for _ in range(30):
        north, east = _shift(*there)
        nearer = (latitude - north, longitude - east)
        if max(abs(nearer[0] - there[0]), abs(nearer[1] - there[1])) < _CLOSE_ENOUGH:
            return nearer
        there = nearer
    return there


def to_gcj02(datum: str, latitude: float, longitude: float) -> Point:
    """A point of a named datum (`DATUMS`) as the platform keeps it."""
    return {"WGS-84": wgs84_to_gcj02(latitude, longitude), "GCJ-02": (latitude, longitude)}[datum]


def _shift(latitude: float, longitude: float) -> Point:
    """By how many degrees GCJ-02 lies to the north and to the east of WGS-84."""
    if not (_SOUTH <= latitude <= _NORTH and _WEST <= longitude <= _EAST):
        return 0.0, 0.0
    x, y = longitude - 105.0, latitude - 35.0
    radians = latitude / 180.0 * pi
    flattened = 1 - _ECCENTRICITY * sin(radians) ** 2
    meridian = _KRASOVSKY_M * (1 - _ECCENTRICITY) / flattened**1.5
    parallel = _KRASOVSKY_M / sqrt(flattened) * sin(pi / 2 - radians)
    return _north_m(x, y) / meridian * 180.0 / pi, _east_m(x, y) / parallel * 180.0 / pi


def _north_m(x: float, y: float) -> float:
    plain = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x))
    waves = 20.0 * sin(y * pi) + 40.0 * sin(y / 3.0 * pi) + 160.0 * sin(y / 12.0 * pi) + 320.0 * sin(y * pi / 30.0)
    return plain + (_ripple(x) + waves) * 2.0 / 3.0


def _east_m(x: float, y: float) -> float:
    plain = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x))
    waves = 20.0 * sin(x * pi) + 40.0 * sin(x / 3.0 * pi) + 150.0 * sin(x / 12.0 * pi) + 300.0 * sin(x / 30.0 * pi)
    return plain + (_ripple(x) + waves) * 2.0 / 3.0


def _ripple(x: float) -> float:
    return 20.0 * sin(6.0 * x * pi) + 20.0 * sin(2.0 * x * pi)
