"""The life of a stay, and what a gate is told about a car."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from app.domain.gates.rules import Decision
from app.kernel.money import Fen, yuan_text
from app.kernel.states import BORN, Machine

STAY: Final = Machine(
    "stay",
    [
        (BORN, "enter", "parked"),
        ("parked", "leave", "owing"),
        ("parked", "leave_paid", "settled"),
        ("owing", "settle", "settled"),
    ],
)

UNPASSED_AFTER: Final = timedelta(minutes=10)
"""A car that was let in and is not seen to pass within this time has turned round: its bay is free again."""

WELCOME = Decision("open", "reserved", "欢迎光临", "欢迎光临")
WALK_IN = Decision("open", "walk_in", "欢迎光临", "欢迎光临，请按指引停车")
ALREADY_INSIDE = Decision("manual", "already_inside", "请稍候", "车辆已在场内，请联系值守人员")
UNREADABLE = Decision("manual", "unreadable", "请稍候", "未能识别车牌，请联系值守人员")
NOT_INSIDE = Decision("manual", "not_inside", "请稍候", "未找到入场记录，请联系值守人员")
GOOD_BYE = Decision("open", "settled", "一路平安", "一路平安")

TURNED_AWAY: Final = {
    "full": Decision("deny", "full", "车位已满", "本场共享泊位已满"),
    "kept_for_reservations": Decision("deny", "kept_for_reservations", "余位已预留", "余位已为预约车辆预留，请先预约"),
    "closed": Decision("deny", "closed", "未到开放时段", "当前不在共享开放时段"),
    "curfew": Decision("deny", "curfew", "禁止进出时段", "本场当前时段禁止车辆进出"),
    "closed_by_adjustment": Decision("deny", "closed_by_adjustment", "临时关闭", "本场临时关闭，请留意公告"),
    "suspended": Decision("deny", "suspended", "暂停开放", "本场暂停对外开放"),
}
"""The only reasons for which a car may be turned away (N2.2.3)."""


UNPRICED = Decision("manual", "unpriced", "请稍候", "暂时无法计费，请联系值守人员")
UNCLEAR = Decision("manual", "unclear", "请稍候", "请联系值守人员")


def with_code(decision: Decision, due_fen: Fen, code: str) -> Decision:
    """The same, with the code of this visit for the barrier's screen: whoever scans it stood there."""
    return replace(decision, charge={"due_fen": due_fen, "code": code})


def please_pay(due_fen: Fen, code: str) -> Decision:
    """What an exit tells a car that has not paid."""
    text = yuan_text(due_fen)
    return with_code(Decision("deny", "unpaid", f"请缴费{text}", f"请扫码或在小程序缴费{text}"), due_fen, code)


def pay_later(due_fen: Fen) -> Decision:
    """What an exit tells a car that may leave before it pays."""
    text = yuan_text(due_fen)
    return Decision("open", "pay_later", f"待缴{text}", f"一路平安，请离场后在小程序缴费{text}")


def walk_in_until(at: datetime, closes_at: datetime, longest: timedelta) -> datetime:
    """Until when a car without a reservation may stay: the window's end or the longest stay, the earlier."""
    return min(closes_at, at + longest)


@dataclass(frozen=True)
class PaidBill:
    """A bill that was paid: its fee up to the moment it was made for, and when the money left the phone."""

    up_to: datetime
    fee_fen: Fen
    amount_fen: Fen
    paid_at: datetime


def fee_owed(fee_fen: Fen, at: datetime, paid: Sequence[PaidBill], grace: timedelta) -> Fen:
    """The fee that counts at a moment: who paid the whole fee and leaves within the grace owes no more than that.

    The grace runs from the payment itself, so a payment made after the exit gives none.
    """
    covering = [bill.fee_fen for bill in paid if bill.paid_at <= at <= bill.paid_at + grace]
    return min([fee_fen, *covering])


def amount_due(fee_fen: Fen, paid: Sequence[PaidBill]) -> Fen:
    """What is still owed; a fee that fell below what was paid asks for nothing."""
    return max(fee_fen - sum(bill.amount_fen for bill in paid), 0)


FINDINGS: Final = {
    "let_in": "道闸已放行",
    "recorded": "拒停原因已记录",
    "attendant_called": "道闸已呼叫值守人员",
    "not_open": "当时不在开放时段",
    "full": "当时没有空余泊位",
    "unexplained": "当时开放且有空余泊位，平台没有拒停记录",
}
"""What the platform's own knowledge makes of a motorist's report, in words."""


def finding(decision: str | None, was_open: bool, free_bays: int) -> str:
    """Which of the findings a report is; `decision` is what a gate was told about the plate, if one asked.

    `unexplained` is the one that the notice forbids: open, a bay free, and no gate ever asked (N2.2.3).
    """
    if decision is not None:
        return {"open": "let_in", "deny": "recorded"}.get(decision, "attendant_called")
    if not was_open:
        return "not_open"
    return "unexplained" if free_bays > 0 else "full"
