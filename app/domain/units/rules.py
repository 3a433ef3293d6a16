"""The districts of Hangzhou by their official codes (六位行政区划代码), and unified social credit codes (GB 32100)."""

import re
import unicodedata
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

CREDIT_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""The 31 signs of GB 32100-2015: I, O, S, V and Z are left out."""
CREDIT_CODE: Final = re.compile(rf"[{CREDIT_ALPHABET}]{{2}}[0-9]{{6}}[{CREDIT_ALPHABET}]{{10}}")


def normal_credit_code(words: str) -> str:
    """A unified social credit code as it is kept: half width, upper case, without blanks."""
    return "".join(unicodedata.normalize("NFKC", words).split()).upper()


def credit_check_digit(first_17: str) -> str:
    """The eighteenth sign of a code (GB 32100-2015): weights 3^n modulo 31 over the first seventeen."""
    total = sum(CREDIT_ALPHABET.index(sign) * pow(3, place, 31) for place, sign in enumerate(first_17))
    return CREDIT_ALPHABET[-total % 31]


def is_credit_code(code: str) -> bool:
    """Whether a normal code has the form of GB 32100-2015 and its check digit."""
    return CREDIT_CODE.fullmatch(code) is not None and code[-1] == credit_check_digit(code[:-1])


def usual_authority(kind: str, level: str) -> str:
    """Who supervises such a unit where nothing else is said (N4.2, N4.6)."""
    if level == "district":
        return "district"
    return "state_assets" if kind == "enterprise" else "government_offices"
