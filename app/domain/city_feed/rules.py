"""How lots and visits are numbered for the city, what is said of a lot, and when to try again."""

import hashlib
import json
import math
import re
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from app.kernel.clock import shanghai
from app.kernel.states import BORN, Machine

UPLOAD: Final = Machine(
    "city_upload",
    [
        (BORN, "born", "due"),
        ("due", "accept", "accepted"),
        ("due", "refuse", "refused"),
        ("due", "withhold", "withheld"),
        ("refused", "retry", "due"),
    ],
)
"""What was refused stays so until a person, having put the cause right, sends it again."""

FIRST_PAUSE: Final = timedelta(seconds=2)
LONGEST_PAUSE: Final = timedelta(minutes=5)
UNPLATED: Final = "无牌车"
OFFICE_BUILDING: Final = "04"
"""`attachedType`: what the lot belongs to. Units of the notice sit in office buildings (办公楼)."""
GOVERNMENT_PRICE, MARKET_PRICE = 1, 2


def pause(failures: int) -> timedelta:
    """How long to wait after so many failures in a row: 2, 4, 8 seconds and so on, at most five minutes."""
    return min(FIRST_PAUSE * (1 << min(max(failures - 1, 0), 16)), LONGEST_PAUSE)


def parking_code(district_code: str, lot_id: int) -> str:
    """The lot's number: six digits of its district, then at least six of its own."""
    return f"{district_code}{lot_id:06d}"


def lane_number(lane: str | None, device_id: int | None) -> str:
    """A lane as `entryNum` and `outNum` can hold it: its own name where that is letters and digits, else the gate's."""
    if lane and re.fullmatch(r"[0-9A-Za-z-]{1,8}", lane):
        return lane
    return str(device_id or 0)


def visit_uid(code: str, entry_number: str, entered_at: datetime) -> str:
    """`parkingCode + entryNum + yyyyMMddHHmmssSSS` in Hangzhou's time: the visit's number, for entry and exit alike."""
    local = shanghai(entered_at)
    return f"{code}{entry_number}{local:%Y%m%d%H%M%S}{local.microsecond // 1000:03d}"


def price_type(unit_kind: str) -> int:
    """Organs' and institutions' lots are priced by the government (1), enterprises' by the market under the cap (2)."""
    return MARKET_PRICE if unit_kind == "enterprise" else GOVERNMENT_PRICE


def digest(fields: dict[str, Any]) -> bytes:
    """By which a changed description is told from one that is known."""
    return hashlib.sha256(json.dumps(fields, ensure_ascii=False, sort_keys=True).encode()).digest()


def baidu_point(latitude: float, longitude: float) -> tuple[float, float]:
    """A GCJ-02 point in Baidu's BD-09 (latitude, longitude), by the usual formula; good to a metre."""
    curve = math.pi * 3000 / 180
    radius = math.hypot(longitude, latitude) + 0.00002 * math.sin(latitude * curve)
    angle = math.atan2(latitude, longitude) + 0.000003 * math.cos(longitude * curve)
    return radius * math.sin(angle) + 0.006, radius * math.cos(angle) + 0.0065


def open_time(office_begins: time, office_ends: time, opens_after: timedelta, closes_before: timedelta) -> str:
    """The hours in words, by the rule of N2.2.1; what differs from day to day is published by the platform."""
    opens, closes = _moved(office_ends, opens_after), _moved(office_begins, -closes_before)
    return f"工作日{opens:%H:%M}至次日{closes:%H:%M}，休息日全天；具体时段以平台公布为准"


def _moved(at: time, by: timedelta) -> datetime:
    return datetime.combine(date(2000, 1, 2), at) + by
