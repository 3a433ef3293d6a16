"""The classes of differences, what each comes to in the books, and when it is looked at again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from app.kernel.money import Fen
from app.kernel.states import BORN, Edge, Machine
from payments.bills.rules.cadence import ready_at
from payments.ledger.rules import Line, credit, debit

DIFFERENCE_EDGES: tuple[Edge, ...] = (
    (BORN, "find", "open"),
    (BORN, "hold", "held"),
    (BORN, "agree", "agreed"),
    ("open", "agree", "agreed"),
    ("held", "agree", "agreed"),
    ("open", "settle", "settled"),
    ("open", "suspend", "suspended"),
    ("held", "settle", "settled"),
    ("held", "suspend", "suspended"),
    ("open", "vanish", "gone"),
    ("held", "vanish", "gone"),
    ("agreed", "vanish", "gone"),
    ("settled", "vanish", "gone"),
    ("suspended", "vanish", "gone"),
    ("suspended", "clear", "cleared"),
)
DIFFERENCE: Final = Machine("difference", DIFFERENCE_EDGES)
STATES: Final = ("open", "held", "agreed", "settled", "suspended", "cleared", "gone")
UNEXPLAINED: Final = ("open", "held")
"""While a day has one of these, nobody signs it off."""

TARGETS: Final = {"charge": "应收款的收款", "refund": "退款", "return": "原路退回或更正"}
"""What suspense is cleared against (清账): what offsets it is of this charge, is this refund, or is told by hand."""

PLACEMENT_EDGES: tuple[Edge, ...] = (
    (BORN, "ask", "waiting"),
    ("waiting", "accept", "accepted"),
    ("waiting", "reject", "rejected"),
    ("accepted", "place", "placed"),
    ("accepted", "fail", "failed"),
)
PLACEMENT: Final = Machine("stray_placement", PLACEMENT_EDGES)
PLACEMENT_STATES: Final = ("waiting", "accepted", "rejected", "placed", "failed")
ENDED_IN_NOTHING: Final = ("rejected", "failed")
SETTLE, GIVE_BACK = "settle", "give_back"
WAYS: Final = {SETTLE: "抵付未缴费用", GIVE_BACK: "原路退回"}
"""Where a payment goes of which only WeChat knows: to a debt that is open, or back to whoever paid it."""

CLEARING_STATES: Final = ("waiting", "accepted", "rejected")


@dataclass(frozen=True)
class Kind:
    """One class of differences: what people call it, how grave it is, whether WeChat can be asked about it."""

    name: str
    severity: int
    asks_wechat: bool = False


CLASSES: Final[Mapping[str, Kind]] = {
    "cross_day": Kind("跨日存疑", 3),
    "missing_here": Kind("长款：微信有、我方无", 2, asks_wechat=True),
    "missing_there": Kind("短款：我方有、微信无", 2, asks_wechat=True),
    "amount_mismatch": Kind("金额不符", 2),
    "duplicate_there": Kind("重复支付", 2, asks_wechat=True),
    "channel_mismatch": Kind("收款商户不符", 1),
    "status_stale": Kind("退款状态不一致", 3, asks_wechat=True),
    "fee_mismatch": Kind("手续费不符", 3),
    "flow_missing": Kind("资金账单缺少该笔", 2),
    "flow_extra": Kind("资金账单多出该笔", 2),
    "flow_mismatch": Kind("资金账单金额不符", 2),
}
"""With what matched the nine classes of the first leg; and three of the second, the money in WeChat's account."""
FIRST_LEG: Final = tuple(name for name in CLASSES if not name.startswith("flow_"))
SECOND_LEG: Final = tuple(name for name in CLASSES if name.startswith("flow_"))
EDGE: Final = timedelta(minutes=30)
"""So near to midnight the two clocks may put a payment on different days."""
HOLD_DAYS: Final = 2
_WAITS: Final = (timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6), timedelta(days=1))


def office(district_code: str | None) -> str:
    """Whose it is while nobody is named: the finance office of the payee's district, or the city's."""
    return f"finance:{district_code or 'city'}"


def holds_until(day: date) -> datetime:
    """Until when one side alone near midnight is waited for: the bill of the day after next."""
    return ready_at(day + timedelta(days=HOLD_DAYS))


def next_look(tries: int, now: datetime) -> datetime | None:
    """When WeChat is asked about a difference again: after 10 minutes, 1 and 6 hours, a day; then a person decides."""
    return now + _WAITS[tries] if tries < len(_WAITS) else None


def suspense_lines(gap_fen: Fen) -> list[Line]:
    """What WeChat has more (长款) or less (短款) than we, put where it waits for its explanation."""
    if gap_fen > 0:
        return [debit("wx_receivable", gap_fen), credit("suspense_long", gap_fen)]
    return [debit("suspense_short", -gap_fen), credit("wx_receivable", -gap_fen)]


def fee_lines(fee_fen: Fen) -> list[Line]:
    """What WeChat kept of a day; what it gave back where that is more."""
    if fee_fen > 0:
        return [debit("wx_fee", fee_fen), credit("wx_receivable", fee_fen)]
    return [debit("wx_receivable", -fee_fen), credit("wx_fee", -fee_fen)]


def settlement_lines(fen: Fen) -> list[Line]:
    """WeChat has paid into the payee's bank account."""
    return [debit("bank", fen), credit("wx_receivable", fen)]
