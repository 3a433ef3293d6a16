"""A point out of a row, in the datum of the house."""

from typing import NamedTuple

from app.jobs.importing.faults import Fault, Faults
from app.jobs.importing.sheets import Row, Sheet, heading_of
from app.kernel.datum import to_gcj02

LATITUDES = (29.0, 31.0)
LONGITUDES = (118.0, 121.0)


class Place(NamedTuple):
    """GCJ-02 degrees, rounded to some ten centimetres."""

    latitude: float
    longitude: float


def hangzhou_point(sheet: Sheet, row: Row, number: int, faults: Faults) -> Place | None:
    """The row's point in GCJ-02, or None and a fault when it lies outside of Hangzhou, as with swapped columns."""
    latitude, longitude = to_gcj02(row["datum"], row["latitude"], row["longitude"])
    found = Place(round(latitude, 6), round(longitude, 6))
    if LATITUDES[0] <= found.latitude <= LATITUDES[1] and LONGITUDES[0] <= found.longitude <= LONGITUDES[1]:
        return found
    column = heading_of(sheet, "latitude")
    faults.add(Fault(sheet.title, number, column, "outside_hangzhou", "该坐标不在杭州市范围内，请核对经纬度"))
    return None
