"""The districts of Hangzhou by their official codes (六位行政区划代码)."""

from typing import Final

CITY: Final = "330100"

DISTRICTS: Final = {
    CITY: "杭州市",
    "330102": "上城区",
    "330105": "拱墅区",
    "330106": "西湖区",
    "330108": "滨江区",
    "330109": "萧山区",
    "330110": "余杭区",
    "330111": "富阳区",
    "330112": "临安区",
    "330113": "临平区",
    "330114": "钱塘区",
    "330122": "桐庐县",
    "330127": "淳安县",
    "330182": "建德市",
}
"""The city and its thirteen districts, counties and county-level city."""
