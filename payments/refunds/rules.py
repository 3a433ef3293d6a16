"""The graph of refunds, why money may go back, what WeChat's word must match, and when to ask WeChat again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.kernel.money import Fen
from app.kernel.states import BORN, Edge, Machine
from payments.ledger.rules import SOE, Line, credit, debit, earned_account
from payments.wechat import SIGNATURE_HOLDS, RefundSeen

REFUND_EDGES: tuple[Edge, ...] = (
    (BORN, "born", "requested"),
    ("requested", "approve", "approved"),
    ("requested", "reject", "rejected"),
    ("approved", "send", "submitting"),
    ("submitting", "time_out", "unknown"),
    ("submitting", "accept", "processing"),
    ("submitting", "succeed", "success"),
    ("submitting", "close", "closed"),
    ("submitting", "fail", "abnormal"),
    ("unknown", "accept", "processing"),
    ("unknown", "succeed", "success"),
    ("unknown", "close", "closed"),
    ("unknown", "fail", "abnormal"),
    ("unknown", "stop", "stopping"),
    ("stopping", "accept", "processing"),
    ("stopping", "succeed", "success"),
    ("stopping", "close", "closed"),
    ("stopping", "fail", "abnormal"),
    ("processing", "succeed", "success"),
    ("processing", "close", "closed"),
    ("processing", "fail", "abnormal"),
    ("abnormal", "succeed", "success"),
    ("abnormal", "close", "closed"),
    ("approved", "file", "filed"),
    ("filed", "pay", "success"),
    ("filed", "refuse", "closed"),
)
REFUND = Machine("refund", REFUND_EDGES)
REFUND_STATES = (
    "requested", "rejected", "approved", "filed", "submitting", "unknown", "stopping", "processing", "success",
    "closed", "abnormal",
)  # fmt: skip
OVER: Final = ("rejected", "closed")
"""States in which the money stays where it was; in every other it is promised to the motorist, or theirs again."""
UNSENT: Final = ("requested", "approved", "rejected")
ASKED_ABOUT: Final = frozenset({"submitting", "unknown", "stopping", "processing", "abnormal"})
EVENT_OF: Final[Mapping[str, str]] = {
    "PROCESSING": "accept", "SUCCESS": "succeed", "CLOSED": "close", "ABNORMAL": "fail",
}  # fmt: skip
"""What each of WeChat's states is to us (WeChat Pay v3: partner/4012791911)."""
STATE_AFTER: Final[Mapping[str, str]] = {
    "accept": "processing", "succeed": "success", "close": "closed", "fail": "abnormal",
}  # fmt: skip
NO_SUCH_REFUND: Final = frozenset({"RESOURCE_NOT_EXISTS", "REFUNDNOTEXIST"})
NO_FUNDS: Final = frozenset({"NOT_ENOUGH"})
IN_A_WHILE: Final = frozenset({"FREQUENCY_LIMITED", "RATELIMIT_EXCEEDED"})

CHANNEL, BY_TREASURY = "channel", "treasury"
WAYS: Final[Mapping[str, str]] = {CHANNEL: "原路退回", BY_TREASURY: "财政退付"}
"""How money goes back: through WeChat to the account that paid, or from the treasury that already has it (退付)."""
TREASURYS: Final = ("requested", "rejected", "approved", "filed", "success", "closed")
"""The states of a refund that the treasury pays; WeChat never hears of it."""
PLATFORM: Final = "platform"
LAW_REASONS: Final[Mapping[str, str]] = {"paid_twice": "重复支付", "paid_late": "费用取消后到账"}
"""Why the platform itself returns money, always the whole payment."""
STAFF_REASONS: Final[Mapping[str, str]] = {
    "overpaid": "多缴退还", "charged_wrongly": "计费有误", "not_served": "未能提供停车服务", "goodwill": "企业自愿退还",
}  # fmt: skip
"""Why persons do. What the treasury is owed nobody gives away as goodwill (浙江省政府非税收入管理条例 art. 20)."""
REASONS: Final[Mapping[str, str]] = {**LAW_REASONS, **STAFF_REASONS}

REFUNDABLE_FOR: Final = timedelta(days=365)
MOST_REFUNDS: Final = 50
"""WeChat takes no refund a year later, and no more than so many of one payment (WeChat Pay v3: partner/4012791911)."""
CALL_MAY_TAKE: Final = timedelta(minutes=1)
"""Longer than a call to WeChat, so that whoever asks sooner may hear too little. A process may sleep for longer."""
HEARD_WITHIN: Final = 2 * SIGNATURE_HOLDS
"""A call that was intended longer ago WeChat refuses, whoever slept with it in hand.

Twice, for a clock of ours that is ahead: by more than `SIGNATURE_HOLDS` it makes no signature that WeChat takes.
"""
UNKNOWN_TOO_LONG: Final = timedelta(minutes=15)
_WAITS: Final = (1, 5, 10, 20, 30)
ABNORMAL_WAIT: Final = timedelta(hours=6)


def is_lawful(reason: str, regime: str) -> bool:
    """Whether money of such a payee may go back for this reason."""
    return reason in REASONS and (reason != "goodwill" or regime == SOE)


def next_check(state: str, checks: int, now: datetime) -> datetime:
    """When to ask WeChat again: after 1, 5, 10, 20 minutes, then every 30; about an abnormal one every 6 hours."""
    if state == "abnormal":
        return now + ABNORMAL_WAIT
    return now + timedelta(minutes=_WAITS[min(checks, len(_WAITS) - 1)])


def claimed_lines(fen: Fen) -> list[Line]:
    """A refund is owed of money that the treasury has: we claim it there."""
    return [debit("treasury_refund_claim", fen), credit("refund_payable", fen)]


def repaid_lines(fen: Fen) -> list[Line]:
    """The treasury has paid the motorist."""
    return [debit("refund_payable", fen), credit("treasury_refund_claim", fen)]


def requested_lines(regime: str, amount_fen: Fen, from_prepaid_fen: Fen, *, surplus: bool) -> list[Line]:
    """A refund is owed: out of the prepaid, the earned, or what nobody had asked for."""
    if surplus:
        return [debit("suspense_long", amount_fen), credit("refund_payable", amount_fen)]
    drawn = [("customer_prepaid", from_prepaid_fen), (earned_account(regime), amount_fen - from_prepaid_fen)]
    return [debit(code, fen) for code, fen in drawn if fen] + [credit("refund_payable", amount_fen)]


def succeeded_lines(fen: Fen) -> list[Line]:
    """WeChat has given the money back."""
    return [debit("refund_payable", fen), credit("wx_receivable", fen)]


def abnormal_lines(fen: Fen) -> list[Line]:
    """WeChat took the money and could not hand it over: it holds it."""
    return [debit("refund_payable", fen), credit("refund_abnormal", fen)]


def recovered_lines(fen: Fen) -> list[Line]:
    """What WeChat held has reached the motorist after all."""
    return [debit("refund_abnormal", fen), credit("wx_receivable", fen)]


@dataclass(frozen=True)
class Expected:
    """What a refund of ours must look like at WeChat, field by field."""

    out_refund_no: str
    transaction_id: str
    out_trade_no: str
    refund_fen: Fen
    total_fen: Fen


def discrepancies(expected: Expected, sub_mchid: str, known_id: str | None, seen: RefundSeen) -> list[str]:
    """The names of the fields in which WeChat's refund differs from ours; none: it is ours."""
    wrong = [name for name, ours in vars(expected).items() if getattr(seen, name) != ours]
    if seen.sub_mchid not in (None, sub_mchid):
        wrong.append("sub_mchid")
    if known_id not in (None, seen.refund_id):
        wrong.append("refund_id")
    return wrong


def severity_of(fields: Iterable[str]) -> int:
    """1 when the money may have left another payee, else 2."""
    return 1 if "sub_mchid" in set(fields) else 2
