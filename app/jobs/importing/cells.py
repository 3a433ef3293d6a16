"""How one cell is read: out of whatever a spreadsheet holds, into a value, or a sentence that says what is wrong."""

import math
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import Any, Final

from app.domain.units.rules import DISTRICTS
from app.kernel.credit_codes import is_credit_code, normal_credit_code

FORMULAS: Final = ("=", "+", "@")
"""How text begins that another person's spreadsheet would run when it opens a list of ours."""
ERRORS: Final = frozenset({"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#SPILL!"})
"""What a spreadsheet shows of a formula that came to nothing."""
Cell = Callable[[Any], Any]
"""Reads one cell that is not empty. Raises `Unreadable`."""


class Unreadable(ValueError):
    """The cell does not say what its column asks for; the words are for the person who filled it in."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def plain(value: Any) -> str:
    """A cell as text: widths folded, surrounding blanks gone, and a whole number without its `.0`."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return unicodedata.normalize("NFKC", str(value)).strip()


def text(longest: int) -> Cell:
    """Words of at most `longest` characters without control characters."""

    def read(value: Any) -> str:
        words = plain(value)
        if words.startswith(FORMULAS):
            raise Unreadable("text_is_a_formula", "不能以 =、+、@ 开头")
        if len(words) > longest:
            raise Unreadable("text_too_long", f"不能超过 {longest} 个字")
        if any(unicodedata.category(each) in {"Cc", "Cf", "Cs", "Co"} for each in words):
            raise Unreadable("text_not_printable", "含有不可见字符")
        return words

    return read


def whole(least: int, most: int) -> Cell:
    """A whole number between both, included."""

    def read(value: Any) -> int:
        words = plain(value)
        if not (words.isascii() and words.isdigit() and len(words) < 10):  # noqa: PLR2004 - fits any column
            raise Unreadable("not_a_whole_number", f"应为 {least} 至 {most} 的整数")
        if not least <= int(words) <= most:
            raise Unreadable("number_out_of_range", f"应在 {least} 至 {most} 之间")
        return int(words)

    return read


def degrees(most: float) -> Cell:
    """An angle in degrees."""

    def read(value: Any) -> float:
        try:
            angle = float(plain(value))
        except ValueError:
            raise Unreadable("not_degrees", "应为以度为单位的小数") from None
        if not math.isfinite(angle) or abs(angle) > most:
            raise Unreadable("degrees_out_of_range", f"应在 -{most:g} 至 {most:g} 之间")
        return angle

    return read


def one_of(choices: Mapping[str, str]) -> Cell:
    """One of a few words."""

    def read(value: Any) -> str:
        found = choices.get(plain(value))
        if found is None:
            raise Unreadable("not_a_choice", f"应为：{'、'.join(choices)}")
        return found

    return read


def yes_or_no(value: Any) -> bool:
    """是 or 否; a spreadsheet's own truth counts too."""
    if isinstance(value, bool):
        return value
    words = plain(value)
    if words not in {"是", "否"}:
        raise Unreadable("not_yes_or_no", "应为：是、否")
    return words == "是"


def clock_time(value: Any) -> time:
    """A time of day to the minute, as a spreadsheet's time or as `09:00`."""
    if isinstance(value, datetime):
        value = value.time()
    if isinstance(value, time):
        return value.replace(second=0, microsecond=0)
    hour, _, minute = plain(value).partition(":")
    try:
        return time(int(hour), int(minute[:2]))
    except ValueError:
        raise Unreadable("not_a_time", "应为时间，如 09:00") from None


def day(value: Any) -> date:
    """A date, as a spreadsheet's date or as `2026-01-01`."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(plain(value).replace("/", "-"))
    except ValueError:
        raise Unreadable("not_a_day", "应为日期，如 2026-01-01") from None


def credit_code(value: Any) -> str:
    """A unified social credit code with a right check digit (GB 32100)."""
    code = normal_credit_code(plain(value))
    if not is_credit_code(code):
        raise Unreadable("credit_code_wrong", "统一社会信用代码有误，请核对 18 位代码及校验位")
    return code


_DISTRICTS = {name: code for code, name in DISTRICTS.items()}


def district(value: Any) -> str:
    """A district or county by its full name, or by its code."""
    words = plain(value)
    if words in DISTRICTS:
        return words
    if words not in _DISTRICTS:
        raise Unreadable("district_unknown", f"应为：{'、'.join(_DISTRICTS)}")
    return _DISTRICTS[words]
