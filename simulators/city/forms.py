"""The fields of each upload, as docs/city-feed.md lists them: needed or not, text or number, and which values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from simulators.city.answers import Rejection

WRONG_FIELD = 1001
TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}"
DEGREES = r"[0-9]{2,3}\.[0-9]{1,8}"
CODE = r"3301[0-9]{8,}"


@dataclass(frozen=True)
class Text:
    """A text that matches `pattern` as a whole."""

    pattern: str = r"(?s).{1,256}"
    needed: bool = True

    def fits(self, value: Any) -> bool:
        return isinstance(value, str) and re.fullmatch(self.pattern, value) is not None


@dataclass(frozen=True)
class Number:
    """A whole number between two bounds."""

    least: int = 0
    most: int = 10**9
    needed: bool = True

    def fits(self, value: Any) -> bool:
        return type(value) is int and self.least <= value <= self.most


@dataclass(frozen=True)
class Moment:
    """`yyyy-MM-dd HH:mm:ss` on the clocks of Hangzhou."""

    needed: bool = True

    def fits(self, value: Any) -> bool:
        if not isinstance(value, str) or not re.fullmatch(TIME, value):
            return False
        try:
            datetime.fromisoformat(value)
        except ValueError:
            return False
        return True


Field = Text | Number | Moment
Form = Mapping[str, Field]

_BERTHS: Form = {"totalBerthNum": Number(1), "openBerthNum": Number(), "freeBerthNum": Number()}
_SENT: Form = {"parkingCode": Text(CODE), "uploadTime": Moment()}
LOT: Form = {
    **_SENT,
    "parkingName": Text(), "address": Text(), "regionCode": Text(r"3301[0-9]{2}"), "areaCode": Text(r"[0-9]{6}"),
    "priceType": Number(1, 3), "inroadFeesType": Text("00|01|02|03|21", needed=False),
    "feeScale": Text(r"(?s).{1,1024}"), "openTime": Text(),
    "parkingPattern": Number(1, 3, needed=False), "parkingLocate": Number(1, 2),
    "parkingType": Number(1, 3), "attachedType": Text("0[1-9]|1[0-6]", needed=False),
    "buildType": Number(1, 3, needed=False), "totalBerthNum": Number(1), "openBerthNum": Number(),
    "bmapX": Text(DEGREES), "bmapY": Text(DEGREES), "gmapX": Text(DEGREES), "gmapY": Text(DEGREES),
    "tempTotalNum": Number(), "intrinsicTotalNum": Number(), "visitorTotalNum": Number(), "chargeTotalNum": Number(),
}  # fmt: skip
ARRIVAL: Form = {
    **_SENT, **_BERTHS,
    "uid": Text(r"[0-9A-Za-z-]{20,64}"), "arriveID": Text(), "plateNo": Text(r".{2,12}"),
    "plateColor": Text("[1-5]|-1"), "carType": Number(1, 3), "entryNum": Text(r"[0-9A-Za-z-]{1,16}"),
    "gateNo": Text(needed=False), "operatorCode": Text(needed=False), "arriveTime": Moment(),
    "parkingType": Number(1, 4),
}  # fmt: skip
DEPARTURE: Form = {
    **ARRIVAL, "endID": Text(), "endTime": Moment(), "outNum": Text(r"[0-9A-Za-z-]{1,16}"), "chargeFee": Number(),
    "shouldPay": Number(),
}  # fmt: skip
STATE: Form = {**_SENT, **_BERTHS}
HEARTBEAT: Form = _SENT


def check(fields: Mapping[str, Any], form: Form) -> None:
    """Raises `Rejection` for the first field that is missing, not known, or not as documented."""
    for name, field in form.items():
        if name not in fields and field.needed:
            raise Rejection(WRONG_FIELD, f"缺少{name}")
        if name in fields and not field.fits(fields[name]):
            raise Rejection(WRONG_FIELD, f"{name}格式不正确")
    if unknown := set(fields) - set(form):
        raise Rejection(WRONG_FIELD, f"不支持的字段{min(unknown)}")
    _check_counts(fields)


def _check_counts(fields: Mapping[str, Any]) -> None:
    total, opened, free = (fields.get(name, 0) for name in ("totalBerthNum", "openBerthNum", "freeBerthNum"))
    if not free <= opened <= total and "totalBerthNum" in fields:
        raise Rejection(WRONG_FIELD, "泊位数应满足剩余≤开放≤总数")
