"""What motorists are told of regular places."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final

from sqlalchemy.dialects.postgresql import Range

from app.domain.messages.rules import Push
from app.domain.regulars.rules.nights import ends
from app.kernel.clock import shanghai

WORDS: Final[Mapping[str, str]] = {
    "lot_full": "泊位已被占用",
    "plate_already_claimed": "该车牌在此时段已有预约或正在停放",
    "outside_open_hours": "停车场在该夜不开放",
    "movement_curfew": "停车场在该时段禁止车辆进出",
    "lot_suspended": "停车场暂停开放",
    "arrears_owed": "您有未缴停车费",
    "reservations_suspended": "您的预约资格处于暂停期",
    "regular_night_begun": "该夜已开始",
    "vehicle_not_found": "申请所用车辆已从账户移除",
}
"""Why a night cannot be had, by the code of the refusal."""

TITLES: Final[Mapping[str, str]] = {
    "regular_won": "固定泊位申请已中签",
    "regular_waiting": "固定泊位申请进入候补",
    "regular_moved_up": "固定泊位候补成功",
    "regular_cancelled": "固定泊位本轮已取消",
    "regular_lost": "固定泊位已收回",
    "regular_night_refused": "固定泊位有一夜无法保留",
}

NOTES: Final[Mapping[str, str]] = {
    "regular_won": "固定泊位已中签，请查看各夜预约",
    "regular_moved_up": "固定泊位候补成功，请查看预约",
    "regular_lost": "因多次未到，固定泊位已收回",
    "regular_night_refused": "固定泊位有一夜无法保留",
}
"""Each fits into 20 characters, as WeChat wants it."""


def push_of(kind: str, lot_name: str, at: datetime, until: datetime) -> Push | None:
    """What WeChat shows, where a message is worth it; `at` is the moment that it is about."""
    if kind not in NOTES:
        return None
    told = {"lot": lot_name, "time": f"{shanghai(at):%Y年%m月%d日 %H:%M}", "note": NOTES[kind]}
    return Push("booking", told, until)


def nights_text(nights: Range[date]) -> str:
    """`07月01日至07月31日`."""
    first, last = ends(nights)
    return f"{first:%m月%d日}至{last:%m月%d日}"


def won_text(lot_name: str, nights: Range[date]) -> str:
    """What a winner reads."""
    return f"您已获得{lot_name} {nights_text(nights)}工作日夜间的固定泊位，各夜预约将陆续生成，可逐夜取消或整体退回。"


def waiting_text(lot_name: str, nights: Range[date], ahead: int) -> str:
    """What those read who did not win."""
    return f"您未抽中{lot_name} {nights_text(nights)}的固定泊位，已进入候补，前面还有{ahead}人。有人退回时依次递补。"


def cancelled_text(lot_name: str, nights: Range[date], reason: str) -> str:
    """What applicants read of a round that is off."""
    return f"{lot_name} {nights_text(nights)}的固定泊位本轮已取消，您的申请不再有效。原因：{reason}"


def lost_text(lot_name: str, count: int) -> str:
    """What somebody reads who stayed away too often."""
    return f"您有{count}夜未使用{lot_name}的固定泊位且未取消，其余各夜已收回。如有异议，可对相关记录提出申诉。"


def refused_text(lot_name: str, night: date, refusal: str) -> str:
    """What a winner reads about a night that cannot be had."""
    why = WORDS.get(refusal, "该夜无法预约")
    return f"您在{lot_name}的固定泊位，{night:%m月%d日}夜间无法保留：{why}。其他各夜不受影响。"
