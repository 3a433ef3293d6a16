"""What a reminder says."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from app.domain.messages.rules import Push
from app.kernel.clock import shanghai

TITLES: Final[Mapping[str, str]] = {
    "first": "停车场即将结束开放",
    "second": "停车场即将结束开放",
    "closing": "停车场已结束开放",
    "after": "车辆超时停放",
}
NOTES: Final[Mapping[str, str]] = {
    "first": "共享时段即将结束，请按时驶离",
    "second": "共享时段即将结束，请尽快驶离",
    "closing": "共享时段已结束，请立即驶离",
    "after": "车辆已超时停放，请立即驶离",
}
"""Each fits into 20 characters, as WeChat wants it."""

FORGOTTEN_AFTER: Final = timedelta(days=1)
"""A car that should have left so long ago is no longer reminded: its exit was missed, or a person sees to it."""
WORTH_SHOWING: Final = timedelta(minutes=15)


def body_of(kind: str, lot_name: str, closes_at: datetime) -> str:
    """The message in the inbox."""
    return f"{lot_name}本次开放至{shanghai(closes_at):%m月%d日%H:%M}。{NOTES[kind]}。"


def push_of(kind: str, lot_name: str, closes_at: datetime, now: datetime) -> Push:
    """What WeChat shows, unless it comes when it helps nobody."""
    told = {"lot": lot_name, "time": f"{shanghai(closes_at):%Y年%m月%d日 %H:%M}", "note": NOTES[kind]}
    return Push("leaving", told, max(closes_at, now + WORTH_SHOWING))
