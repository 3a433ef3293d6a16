"""What is told of a lot, its bays and entrances, and how it is kept."""

from dataclasses import dataclass, replace
from typing import Final

from app.kernel.refusals import Invalid

BAY_KINDS: Final = {"standard": "普通", "charging": "充电", "accessible": "无障碍", "large": "大型车"}
AREAS: Final = {"centre": "中心城区", "commercial": "商业区", "ordinary": "其他"}
DIRECTIONS: Final = {"in": "入口", "out": "出口", "both": "出入口"}
LATITUDES: Final = (29.0, 31.0)
LONGITUDES: Final = (118.0, 121.0)
"""GCJ-02 degrees between which Hangzhou lies."""


class LotIncomplete(Invalid):
    """A lot has a name, an address and bays; limits let some vehicle in; shared chargers are some of all."""

    code = "lot_incomplete"
    message = "停车场须有名称、地址和泊位数；限高限长须大于零；共享充电设施不得多于总数；所在区域须为三类之一"


class PointOutside(Invalid):
    """The GCJ-02 point does not lie in Hangzhou."""

    code = "point_outside"
    message = "坐标不在杭州市范围内（须为 GCJ-02）"


class BayWrong(Invalid):
    """A bay has a number and one of four kinds; an entrance has a name and a direction."""

    code = "bay_wrong"
    message = "泊位须有编号且类型为普通、充电、无障碍或大型车；出入口须有名称和方向"


def check_point(latitude: float, longitude: float) -> None:
    """Refuse `PointOutside` when a GCJ-02 point lies elsewhere."""
    if not (LATITUDES[0] <= latitude <= LATITUDES[1] and LONGITUDES[0] <= longitude <= LONGITUDES[1]):
        raise PointOutside(latitude=latitude, longitude=longitude)


@dataclass(frozen=True)
class NewLot:
    """What a unit tells about a lot that it opens (N2.2.2, N2.2.4). The point is GCJ-02, limits are centimetres."""

    name: str
    address: str
    latitude: float
    longitude: float
    total_bays: int
    total_chargers: int = 0
    shared_chargers: int = 0
    height_limit_cm: int | None = None
    length_limit_cm: int | None = None
    area: str = "ordinary"

    def checked(self) -> "NewLot":
        """The same as it is kept. Refuses `LotIncomplete`, `PointOutside`."""
        check_point(self.latitude, self.longitude)
        plain = replace(self, name=self.name.strip(), address=self.address.strip())
        limits = [each for each in (self.height_limit_cm, self.length_limit_cm) if each is not None]
        if not (plain.name and plain.address and self.total_bays > 0 and self.area in AREAS):
            raise LotIncomplete
        if not 0 <= self.shared_chargers <= self.total_chargers or any(limit <= 0 for limit in limits):
            raise LotIncomplete
        return plain


@dataclass(frozen=True)
class NewBay:
    """A bay to be shared with the public: its number in the lot, its zone, its kind."""

    number: str
    zone: str
    kind: str = "standard"

    def checked(self) -> "NewBay":
        """The same as it is kept. Refuses `BayWrong`."""
        if not self.number.strip() or self.kind not in BAY_KINDS:
            raise BayWrong(number=self.number)
        return NewBay(self.number.strip(), self.zone.strip(), self.kind)


@dataclass(frozen=True)
class NewEntrance:
    """An entrance or exit at a GCJ-02 point."""

    name: str
    latitude: float
    longitude: float
    direction: str = "both"

    def checked(self) -> "NewEntrance":
        """The same as it is kept. Refuses `BayWrong`, `PointOutside`."""
        check_point(self.latitude, self.longitude)
        if not self.name.strip() or self.direction not in DIRECTIONS:
            raise BayWrong(name=self.name)
        return replace(self, name=self.name.strip())
