"""The steps by which an arrear is chased, how each is told, and what is refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.domain.messages.rules import Push
from app.kernel.clock import shanghai
from app.kernel.money import Fen, yuan_text
from app.kernel.refusals import Conflict, Invalid, NotAllowed, NotFound


@dataclass(frozen=True)
class Step:
    """One step: `policy` says how many `unit`s after the step before it (the first: after the debt arose) it is due.

    `column` remembers when it was taken. `note` fits into 20 characters, as WeChat wants it.
    """

    policy: str
    unit: timedelta
    column: str
    title: str
    words: str
    note: str


STEPS: Final[Mapping[str, Step]] = {
    "notice": Step(
        "arrears_notice_hours", timedelta(hours=1), "noticed_at", "停车费待缴",
        "请在小程序停车记录中缴清。", "停车费未缴，请尽快缴清",
    ),
    "reminder": Step(
        "arrears_reminder_days", timedelta(days=1), "reminded_at", "停车费仍未缴纳",
        "请尽快缴清，逾期未缴将暂停新增预约和候补。", "停车费仍未缴，逾期将暂停预约",
    ),
    "hold": Step(
        "arrears_hold_days", timedelta(days=1), "held_at", "因欠费暂停预约",
        "现暂停新增预约和候补，缴清后立即恢复；已有预约、驶入、驶离和在场延长不受影响。", "已暂停新增预约，缴清即恢复",
    ),
}  # fmt: skip
"""In this order, none before the one before it: nobody is held to a debt of which he was not told and reminded."""

WORTH_SHOWING: Final = timedelta(days=1)


class ArrearsOwed(NotAllowed):
    """The motorist was told of an unpaid stay, reminded, and has not paid; paying ends it at once.

    Only new reservations and waiting are refused, never a gate or a longer stay (N2.2.3). The details say how much is
    owed and for which stays.
    """

    code = "arrears_owed"
    message = "您有停车费尚未缴清，缴清后即可预约；驶入和驶离不受影响"


class ArrearNotFound(NotFound):
    """Nothing is owed for such a stay."""

    code = "arrear_not_found"
    message = "未找到该笔欠费"


class ArrearPaused(Conflict):
    """Somebody is looking into it already."""

    code = "arrear_paused"
    message = "该笔欠费已暂缓催缴"


class ArrearNotPaused(Conflict):
    """Nobody is looking into it."""

    code = "arrear_not_paused"
    message = "该笔欠费未暂缓催缴"


class ReasonMissing(Invalid):
    """Whoever pauses or resumes says why."""

    code = "reason_missing"
    message = "请填写理由"


class DeferralUnreadable(Invalid):
    """A basis names its document and reason and covers a span that ends, and not in the past."""

    code = "pay_later_unreadable"
    message = "先离场后付费须有依据文号和理由，并注明尚未结束的起止时间"


class DeferralDecided(Conflict):
    """The basis is approved or ended already."""

    code = "pay_later_decided"
    message = "该先离场后付费依据已审批或已终止"


class OwnDeferral(Conflict):
    """Who recorded a basis does not approve it."""

    code = "pay_later_own"
    message = "先离场后付费依据须由另一人审批"


class DeferralsOverlap(Conflict):
    """Another approved basis covers a part of the span."""

    code = "pay_later_overlaps"
    message = "该停车场在此期间已有先离场后付费依据"


def said(words: str) -> str:
    """A reason without the blanks around it. Refuses `ReasonMissing`."""
    if not words.strip():
        raise ReasonMissing
    return words.strip()


def body_of(step: str, lot_name: str, left_at: datetime, amount_fen: Fen) -> str:
    """The message in the inbox."""
    what = f"您于{shanghai(left_at):%m月%d日%H:%M}驶离{lot_name}，停车费{yuan_text(amount_fen)}尚未缴纳。"
    return what + STEPS[step].words


def push_of(step: str, lot_name: str, left_at: datetime, amount_fen: Fen, now: datetime) -> Push:
    """What WeChat shows of it."""
    told = {
        "lot": lot_name, "amount": yuan_text(amount_fen), "time": f"{shanghai(left_at):%Y年%m月%d日 %H:%M}",
        "note": STEPS[step].note,
    }  # fmt: skip
    return Push("arrears", told, now + WORTH_SHOWING)


def paused_text(lot_name: str) -> str:
    """What a motorist reads when chasing is paused."""
    return f"{lot_name}的欠费正在核查，核查期间暂缓催缴，不影响预约。"


def resumed_text(lot_name: str, amount_fen: Fen, outcome: str) -> str:
    """What a motorist reads when it goes on."""
    return f"{lot_name}的欠费核查已结束：{outcome}。停车费{yuan_text(amount_fen)}仍需缴纳。"
