"""The sample city as a table: neighbourhoods, the government-priced lots in them, and the lots that units open.

All names are samples (示例); nobody's lot is meant. Points are GCJ-02 and lie in the districts that they name; a lot's
own place is given in metres east and north of its neighbourhood's centre, so that its references stay within 500 m.
"""

from dataclasses import dataclass
from datetime import time
from typing import Any, Final

from app.domain.units.rules import CITY

MARK: Final = "示例"

Office = tuple[time, time]
OFFICE: Final = (time(8, 30), time(17, 30))
MILL: Final = (time(8), time(17))
EARLY: Final = (time(4), time(10, 30))
"""A depot or a wholesale market: its bays are free from 11:30 on, when offices are full."""
LATE: Final = (time(14), time(22))
"""A theatre or a stadium: its bays are free until 13:00."""

OPERATORS: Final = ("示例·城北停车服务有限公司", "示例·之江停车运营有限公司", "示例·钱塘智慧停车有限公司")
NOBODY: Final = None
"""The unit runs its lot itself (N3.2)."""

SAME: Final = 1000
FREE: Final = 0
"""A lot's price in thousandths of its neighbourhood's first reference; never above 1000 (N3.3).

The first reference has a price for every stay; one that is shut by night or ends after a day may follow it.
"""


@dataclass(frozen=True)
class Reference:
    """A government-priced lot (政府定价管理停车场): which published tariff it follows, and metres from the centre."""

    name: str
    tariff: str
    east: int = 0
    north: int = 0


@dataclass(frozen=True)
class Opened:
    """A unit and the lot that it opens. `bays` are shared, of `total`; likewise `chargers` and `all_chargers`."""

    unit: str
    kind: str
    level: str
    lot: str
    east: int
    north: int
    bays: int
    total: int
    price: int = SAME
    office: Office = OFFICE
    chargers: int = 0
    all_chargers: int = 0
    height_cm: int | None = None
    operator: int | None = NOBODY


@dataclass(frozen=True)
class Neighbourhood:
    """A few streets of one district, around a GCJ-02 point."""

    name: str
    district: str
    latitude: float
    longitude: float
    references: tuple[Reference, ...]
    lots: tuple[Opened, ...]


def organ(unit: str, lot: str, *place: int, level: str = "district", **more: Any) -> Opened:
    """An organ (机关); `place` is metres east, metres north, shared bays, all bays."""
    return _opened(unit, "organ", level, lot, *place, **more)


def institution(unit: str, lot: str, *place: int, level: str = "district", **more: Any) -> Opened:
    """A public institution (事业单位); `place` as for organs."""
    return _opened(unit, "institution", level, lot, *place, **more)


def enterprise(unit: str, lot: str, *place: int, level: str = "district", **more: Any) -> Opened:
    """A state-owned enterprise (国有企业); `place` as for organs."""
    return _opened(unit, "enterprise", level, lot, *place, **more)


def _opened(unit: str, kind: str, level: str, lot: str, *place: int, **more: Any) -> Opened:
    east, north, bays, total = place
    return Opened(f"{MARK}·{unit}", kind, level, f"{MARK}·{unit}{lot}", east, north, bays, total, **more)


def road(name: str, tariff: str, east: int = 0, north: int = 0) -> Reference:
    """A road with government-priced bays, or a lot priced like one."""
    return Reference(f"{MARK}·{name}", tariff, east, north)


NEIGHBOURHOODS: Final = (
    Neighbourhood(
        "钱江新城", "330102", 30.2462, 120.2108,
        (
            road("钱江新城富春路道路泊位", "HZ-ROAD-1", -150, 80),
            road("钱江新城政府定价地下车库", "HZ-CIVIC-CENTER", 60, 40),
        ),
        (
            organ("杭州市某机关", "大院地下停车库", 120, 90, 60, 180, level="city", chargers=8, all_chargers=20,
                  height_cm=210),
            institution("杭州市某公共文化中心", "地下停车库", -180, 150, 50, 150, level="city", chargers=6,
                        all_chargers=16, height_cm=200, operator=1),
            enterprise("杭州市某剧院管理公司", "停车场", 220, -160, 40, 110, level="city", price=800, office=LATE,
                       operator=1),
        ),
    ),
    Neighbourhood(
        "湖滨", "330102", 30.2541, 120.1652,
        (road("湖滨庆春路道路泊位", "HZ-ROAD-CORE", 30, -40), road("湖滨浣纱路道路泊位", "HZ-ROAD-CORE", -160, 120)),
        (
            organ("上城区某机关", "院内停车场", 90, 110, 24, 60, chargers=2, all_chargers=6),
            institution("上城区某图书馆", "地面停车场", -140, -90, 16, 40, price=600, operator=0),
            enterprise("上城区某城建集团", "大楼停车库", 200, 40, 30, 90, height_cm=200, chargers=4, all_chargers=10),
        ),
    ),
    Neighbourhood(
        "武林", "330105", 30.2752, 120.1641,
        (
            road("武林中山北路政府定价停车场", "HZ-ROAD-1", 40, 60),
            road("武林体育场路道路泊位", "HZ-ROAD-CORE", 180, -90),
        ),
        (
            organ("杭州市某管理局", "大院停车场", -120, 100, 36, 100, level="city", chargers=4, all_chargers=8),
            enterprise("拱墅区某文化演艺公司", "剧场停车场", 130, -140, 28, 70, price=700, office=LATE, operator=0),
        ),
    ),
    Neighbourhood(
        "运河新城", "330105", 30.3345, 120.1562,
        (road("运河新城拱康路道路泊位", "HZ-ROAD-2", -50, 30),),
        (
            organ("拱墅区某机关", "大院停车场", 100, 80, 40, 110, chargers=4, all_chargers=10),
            institution("拱墅区某社区服务中心", "停车场", -130, -110, 14, 30, price=FREE),
            enterprise("拱墅区某公交场站公司", "公交停保场", 210, 160, 46, 120, price=600, office=EARLY, chargers=10,
                       all_chargers=24, operator=0),
        ),
    ),
    Neighbourhood(
        "文教区", "330106", 30.2779, 120.1281,
        (road("文三路道路泊位", "HZ-ROAD-1", 20, -60), road("学院路政府定价停车场", "HZ-ROAD-1", -190, 100)),
        (
            organ("西湖区某机关", "大院停车场", 110, 120, 45, 120, chargers=6, all_chargers=15, height_cm=220),
            institution("西湖区某科研院所", "南院停车场", -150, -130, 30, 80, price=800),
            institution("西湖区某青少年活动中心", "停车场", 230, -40, 20, 50, price=FREE, office=(time(9), time(18))),
            enterprise("西湖区某数据公司", "园区停车库", -60, 210, 38, 100, chargers=8, all_chargers=20, height_cm=190,
                       operator=1),
        ),
    ),
    Neighbourhood(
        "北山街", "330106", 30.2602, 120.1440,
        (road("北山街景区政府定价停车场", "HZ-WESTLAKE", 70, 20),),
        (
            institution("杭州市某园林文物单位", "内部停车场", -110, 90, 22, 60, level="city", price=800, operator=1),
            enterprise("西湖区某旅游集团", "停车场", 160, 130, 34, 90, price=600, office=(time(8), time(16, 30))),
        ),
    ),
    Neighbourhood(
        "江南大道", "330108", 30.2085, 120.2118,
        (road("滨江江南大道道路泊位", "HZ-ROAD-2", -40, -50),),
        (
            organ("滨江区某机关", "大院地下停车库", 130, 60, 55, 160, chargers=10, all_chargers=30, height_cm=210),
            institution("滨江区某体育中心", "停车场", -170, 140, 60, 180, price=800, office=LATE, operator=1),
            enterprise("滨江区某高新产业公司", "园区停车场", 60, -200, 48, 140, price=SAME, chargers=12,
                       all_chargers=30),
        ),
    ),
    Neighbourhood(
        "萧山市心路", "330109", 30.1838, 120.2646,
        (
            road("萧山市心路道路泊位", "HZ-ROAD-2", -120, -30),
            road("萧山公立医院政府定价停车场", "HZ-XIAOSHAN-HOSP-1", 90, 100),
        ),
        (
            organ("萧山区某机关", "大院停车场", -90, 140, 50, 150, chargers=5, all_chargers=12),
            institution("萧山区某图书馆", "地下停车库", 180, -110, 26, 70, price=700, height_cm=200),
            enterprise("萧山区某水务公司", "停车场", -210, -160, 32, 80, price=600, office=MILL, operator=2),
        ),
    ),
    Neighbourhood(
        "未来科技城", "330110", 30.2796, 120.0063,
        (road("未来科技城政府定价停车场", "HZ-ROAD-2", 50, 50),),
        (
            organ("余杭区某机关", "服务中心停车场", -140, 80, 44, 120, chargers=6, all_chargers=18),
            institution("余杭区某科技馆", "停车场", 190, 90, 36, 100, price=FREE, office=(time(9), time(17))),
            enterprise("余杭区某产业投资公司", "园区地下停车库", 70, -180, 58, 190, chargers=15, all_chargers=45,
                       height_cm=220, operator=0),
        ),
    ),
    Neighbourhood(
        "富春街道", "330111", 30.0492, 119.9603,
        (road("富阳区桂花路道路泊位", "HZ-ROAD-2", -30, 40),),
        (
            organ("富阳区某机关", "大院停车场", 110, 70, 30, 90, price=800, chargers=3, all_chargers=8),
            institution("富阳区某文化馆", "停车场", -160, -80, 18, 45, price=FREE),
            enterprise("富阳区某城投公司", "停车场", 140, -170, 26, 70, price=700, office=MILL),
        ),
    ),
    Neighbourhood(
        "锦城街道", "330112", 30.2338, 119.7248,
        (road("临安区钱王街道路泊位", "HZ-ROAD-2", 40, -20),),
        (
            organ("临安区某机关", "大院停车场", -120, 110, 32, 90, price=800),
            institution("临安区某档案馆", "停车场", 170, 60, 12, 30, price=FREE),
            enterprise("临安区某客运公司", "客运停车场", 90, -190, 40, 110, price=600, office=EARLY, operator=2),
        ),
    ),
    Neighbourhood(
        "临平街道", "330113", 30.4192, 120.2993,
        (road("临平迎宾路道路泊位", "HZ-ROAD-2", -60, -40), road("临平政府定价停车场", "HZ-ROAD-2", 150, 120)),
        (
            organ("临平区某机关", "大院停车场", 100, 130, 42, 120, chargers=6, all_chargers=14, height_cm=210),
            institution("临平区某艺术中心", "地下停车库", -180, 90, 30, 100, price=700, office=LATE, operator=0),
            enterprise("临平区某供水公司", "停车场", 160, -150, 20, 50, price=800, office=MILL),
        ),
    ),
    Neighbourhood(
        "下沙", "330114", 30.3098, 120.3496,
        (road("钱塘区金沙大道道路泊位", "HZ-ROAD-2", 30, 60),),
        (
            organ("钱塘区某机关", "大院停车场", -130, -70, 48, 140, chargers=8, all_chargers=24),
            institution("钱塘区某科技服务中心", "停车场", 170, 120, 24, 60, price=FREE),
            enterprise("钱塘区某物流公司", "停车场", 60, -210, 52, 150, price=600, office=EARLY, operator=2,
                       chargers=6, all_chargers=12),
        ),
    ),
    Neighbourhood(
        "城南街道", "330122", 29.7975, 119.6912,
        (road("桐庐县迎春南路道路泊位", "HZ-ROAD-2", -20, -30),),
        (
            organ("桐庐县某机关", "大院停车场", 120, 90, 28, 80, price=800),
            enterprise("桐庐县某文旅公司", "停车场", -150, 120, 34, 90, price=600, office=MILL),
        ),
    ),
    Neighbourhood(
        "千岛湖镇", "330127", 29.6089, 119.0422,
        (road("淳安县新安大街道路泊位", "HZ-ROAD-2", 50, -60),),
        (
            organ("淳安县某机关", "大院停车场", -100, 100, 26, 70, price=FREE),
            institution("淳安县某会议中心", "停车场", 170, 80, 40, 110, price=800, office=LATE),
        ),
    ),
    Neighbourhood(
        "新安江街道", "330182", 29.4748, 119.2810,
        (road("建德市新安路道路泊位", "HZ-ROAD-2", 20, 30),),
        (
            organ("建德市某机关", "大院停车场", 130, -90, 24, 70, price=800),
            enterprise("建德市某交通公司", "停车场", -160, 110, 30, 80, price=600, office=MILL, chargers=4,
                       all_chargers=10),
        ),
    ),
)  # fmt: skip


def lots() -> list[Opened]:
    """Every lot of the city."""
    return [opened for around in NEIGHBOURHOODS for opened in around.lots]


def treasury_of(opened: Opened, around: Neighbourhood) -> str:
    """The district whose treasury is of the unit's level: the city's own for a unit of the city (N3.4.1)."""
    return CITY if opened.level == "city" else around.district
