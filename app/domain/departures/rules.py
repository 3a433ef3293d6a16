"""What a reminder says; how trouble is handed on; the life of a tow."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from app.domain.messages.rules import Push
from app.kernel.clock import shanghai
from app.kernel.states import BORN, Machine

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


ESCALATION: Final[Mapping[str, str]] = {
    "car_overstays": "overstay_grace_minutes",
    "car_blocks_the_unit": "overstay_blocks_minutes",
    "car_may_be_towed": "overstay_tow_minutes",
}
"""The tasks that a car raises which does not leave, one after the other, each by the lot's number of minutes."""

RESULTS: Final[Mapping[str, str]] = {
    "promised": "已联系，答应驶离", "refused": "已联系，拒绝驶离", "no_answer": "无人接听", "no_number": "无联系方式",
}  # fmt: skip

TOW: Final = Machine(
    "tow",
    [
        (BORN, "order", "ordered"),
        ("ordered", "approve", "approved"),
        ("approved", "carry_out", "towed"),
        ("ordered", "call_off", "off"),
        ("approved", "call_off", "off"),
    ],
)
TOW_TITLE: Final = "车辆将被拖移"
TOWED_TITLE: Final = "车辆已被拖移"


def tow_body(lot_name: str) -> str:
    """What the motorist is told before."""
    return f"您的车辆在{lot_name}超时停放，影响单位正常办公，已安排拖移。请立即驶离；驶离后拖移即取消。"


def towed_body(lot_name: str, company: str, taken_to: str) -> str:
    """What the motorist is told afterwards."""
    return f"您停放在{lot_name}的车辆已由{company}拖移至{taken_to}。如有异议，可在小程序内投诉。"
