"""Amounts in Chinese capitals (大写金额), as bills and invoices have them (会计基础工作规范 art. 52)."""

from typing import Final

from app.kernel.money import Fen

_DIGITS: Final = "零壹贰叁肆伍陆柒捌玖"
_PLACES: Final = ("", "拾", "佰", "仟")
_GROUPS: Final = ("", "万", "亿", "万亿")
MOST_FEN: Final = 10**18 - 1


def in_capitals(fen: Fen) -> str:
    """12.50 yuan is 壹拾贰元伍角整; 整 ends what has no fen, 零 stands once for any run of zeros between digits.

    Raises `ValueError` for less than nothing and for more than a bill can be for.
    """
    if not 0 <= fen <= MOST_FEN:
        raise ValueError("an amount in capitals is between 0 and 10^16 yuan")
    yuan, jiao, rest = fen // 100, fen // 10 % 10, fen % 10
    whole = f"{_whole(yuan)}元" if yuan else ""
    if not jiao and not rest:
        return f"{whole or '零元'}整"
    tenths = f"{_DIGITS[jiao]}角" if jiao else ("零" if whole else "")
    return f"{whole}{tenths}{_DIGITS[rest]}分" if rest else f"{whole}{tenths}整"


def _whole(yuan: int) -> str:
    groups = [yuan // 10**12, yuan // 10**8 % 10**4, yuan // 10**4 % 10**4, yuan % 10**4]
    said, gap = "", False
    for name, group in zip(reversed(_GROUPS), groups, strict=True):
        if group == 0:
            gap = gap or bool(said)
            continue
        if said and (gap or group < 1000):  # noqa: PLR2004 - four places to a group
            said += "零"
        said, gap = said + _group(group) + (name if name != "万亿" else "万"), False
        if name == "万亿" and not groups[1]:
            said += "亿"
    return said


def _group(number: int) -> str:
    said, gap = "", False
    for place in (3, 2, 1, 0):
        digit = number // 10**place % 10
        if digit == 0:
            gap = gap or bool(said)
            continue
        said += ("零" if gap else "") + _DIGITS[digit] + _PLACES[place]
        gap = False
    return said
