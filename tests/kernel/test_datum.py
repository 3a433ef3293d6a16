"""WGS-84 and GCJ-02: the shift agrees with what public libraries publish, and can be taken back."""

from math import cos, hypot, radians

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.datum import gcj02_to_wgs84, to_gcj02, wgs84_to_gcj02

PUBLISHED = [
    ((39.915, 116.404), (39.91640428150164, 116.41024449916938)),  # wandergis/coordtransform
    ((30.6107779, 121.0917077), (30.608604331756705, 121.09626935575027)),  # geotool
    ((31.1774276, 121.5272106), (31.17530398364597, 121.531541859215)),  # googollee/eviltransform
    ((22.543847, 113.912316), (22.540796131694766, 113.9171764808363)),
    ((39.911954, 116.377817), (39.91334545536069, 116.38404722455657)),
]
IN_CHINA = st.tuples(st.floats(18, 53), st.floats(74, 134))
NEAR_HANGZHOU = st.tuples(st.floats(29.1, 30.6), st.floats(118.3, 120.8))


def metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    return 111_320 * hypot(one[0] - other[0], (one[1] - other[1]) * cos(radians(one[0])))


@pytest.mark.parametrize(("wgs84", "gcj02"), PUBLISHED)
def test_published_points_are_met_within_a_metre(wgs84: tuple[float, float], gcj02: tuple[float, float]) -> None:
    assert metres(wgs84_to_gcj02(*wgs84), gcj02) < 0.1
    assert metres(gcj02_to_wgs84(*gcj02), wgs84) < 0.1


@given(IN_CHINA | NEAR_HANGZHOU)
def test_there_and_back_is_the_same_point(point: tuple[float, float]) -> None:
    assert metres(gcj02_to_wgs84(*wgs84_to_gcj02(*point)), point) < 0.01
    assert metres(wgs84_to_gcj02(*gcj02_to_wgs84(*point)), point) < 0.01


@given(NEAR_HANGZHOU)
def test_in_hangzhou_the_datums_lie_hundreds_of_metres_apart(point: tuple[float, float]) -> None:
    assert 300 < metres(wgs84_to_gcj02(*point), point) < 800


@pytest.mark.parametrize("point", [(51.5072, -0.1276), (45.0, 183.0), (-33.9, 151.2), (0.0, 0.0)])
def test_a_point_outside_china_stays_where_it_is(point: tuple[float, float]) -> None:
    assert wgs84_to_gcj02(*point) == point
    assert gcj02_to_wgs84(*point) == point


def test_a_named_datum_decides_what_is_converted() -> None:
    assert to_gcj02("GCJ-02", 30.25, 120.15) == (30.25, 120.15)
    assert to_gcj02("WGS-84", 30.25, 120.15) == wgs84_to_gcj02(30.25, 120.15)


def test_a_datum_nobody_knows_is_not_guessed() -> None:
    with pytest.raises(KeyError):
        to_gcj02("BD-09", 30.25, 120.15)
