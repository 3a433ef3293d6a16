"""Districts, kinds, levels, authorities and grounds: the closed lists of the register, with their Chinese names."""

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

KINDS: Final = {"organ": "机关", "institution": "事业单位", "enterprise": "国有企业"}
LEVELS: Final = {"city": "市级", "district": "区、县（市）级"}
AUTHORITIES: Final = {
    "government_offices": "市机关事务局",
    "state_assets": "市国资委",
    "district": "区、县（市）政府",
    "department": "主管部门",
}
"""Who urges a unit on (N4.2, N4.5, N4.6)."""
GROUNDS: Final = {
    "secret": "涉密单位",
    "special_security": "有特殊安全要求的单位",
    "always_open": "已全时段对外开放停车场的单位",
    "school": "中小学及幼儿园",
    "hospital": "医院",
    "care": "养老托幼机构",
}
"""The six grounds on which a unit does not open (N2.1)."""
