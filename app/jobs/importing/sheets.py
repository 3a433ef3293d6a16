"""The sheets of an import: their columns, what each cell must look like, and how the template explains them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.jobs.importing.cells import (
    Cell,
    clock_time,
    credit_code,
    degrees,
    district,
    one_of,
    text,
    whole,
    yes_or_no,
)


@dataclass(frozen=True)
class Column:
    """One column: its heading, the name of what it says, how a cell is read, an example for the template."""

    heading: str
    name: str
    read: Cell
    example: str
    required: bool = True
    hint: str = ""
    choices: Sequence[str] = ()


def _choice(heading: str, name: str, words: Mapping[str, str]) -> Column:
    """A column that offers a few words, the first of them as its example."""
    return Column(heading, name, one_of(words), next(iter(words)), hint="、".join(words), choices=tuple(words))


@dataclass(frozen=True)
class Sheet:
    """One sheet, or one CSV file of this name; `key` are the columns that tell one row from another."""

    title: str
    columns: Sequence[Column]
    key: Sequence[str]
    required: bool = True


UNIT_CODE: Final = Column(
    "统一社会信用代码", "credit_code", credit_code, "11330100MB0000013F", hint="开放单位的 18 位代码"
)
LOT_NAME: Final = Column("停车场名称", "lot", text(80), "示例停车场")
POINT: Final = (
    Column("纬度", "latitude", degrees(90), "30.2741"),
    Column("经度", "longitude", degrees(180), "120.1551"),
    _choice("坐标系", "datum", {"GCJ-02": "GCJ-02", "WGS-84": "WGS-84"}),
)

UNITS: Final = Sheet(
    "开放单位",
    (
        UNIT_CODE,
        Column("单位名称", "name", text(80), "示例单位"),
        _choice("单位性质", "kind", {"机关": "organ", "事业单位": "institution", "国有企业": "enterprise"}),
        _choice("层级", "level", {"市级": "city", "区级": "district"}),
        Column("所在区县", "district_code", district, "西湖区", hint="区县市全称"),
        _choice(
            "主管部门类别", "authority",
            {
                "机关事务局": "government_offices",
                "国资委": "state_assets",
                "区县": "district",
                "市级部门": "department",
            },
        ),
        Column("主管部门名称", "authority_name", text(80), "", required=False, hint="类别为市级部门时必填"),
        Column("上班时间", "office_begins", clock_time, "09:00"),
        Column("下班时间", "office_ends", clock_time, "17:30"),
    ),
    ("credit_code",),
)  # fmt: skip

LOTS: Final = Sheet(
    "停车场",
    (
        UNIT_CODE,
        LOT_NAME,
        Column("地址", "address", text(200), "杭州市西湖区示例路1号"),
        *POINT,
        _choice("区域", "area", {"一般区域": "ordinary", "中心城区": "centre", "商业区": "commercial"}),
        Column("泊位总数", "total_bays", whole(1, 20_000), "120", hint="含不对外开放的泊位"),
        Column("充电桩总数", "total_chargers", whole(0, 20_000), "6", required=False),
        Column("开放充电桩数", "shared_chargers", whole(0, 20_000), "2", required=False),
        Column("限高（厘米）", "height_limit_cm", whole(100, 1000), "210", required=False),
        Column("限长（厘米）", "length_limit_cm", whole(200, 3000), "", required=False),
    ),
    ("credit_code", "lot"),
)  # fmt: skip

BAYS: Final = Sheet(
    "泊位",
    (
        UNIT_CODE,
        LOT_NAME,
        Column("泊位编号", "number", text(20), "A001"),
        Column("分区", "zone", text(20), "A"),
        _choice(
            "泊位类型", "kind", {"普通": "standard", "充电": "charging", "无障碍": "accessible", "大型": "large"}
        ),
        Column("是否开放", "shared", yes_or_no, "是", hint="是或否", choices=("是", "否")),
    ),
    ("credit_code", "lot", "number"),
)  # fmt: skip

ENTRANCES: Final = Sheet(
    "出入口",
    (
        UNIT_CODE,
        LOT_NAME,
        Column("出入口名称", "name", text(40), "东门"),
        *POINT,
        _choice("方向", "direction", {"出入口": "both", "入口": "in", "出口": "out"}),
    ),
    ("credit_code", "lot", "name"),
    required=False,
)

SHEETS: Final = (UNITS, LOTS, BAYS, ENTRANCES)

Row = Mapping[str, Any]
"""One row that was read without a fault: values by the columns' names."""


def heading_of(sheet: Sheet, name: str) -> str:
    """The heading of the column that says this."""
    return next((each.heading for each in sheet.columns if each.name == name), name)
