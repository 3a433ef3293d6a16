"""The graphs of charges and orders, what a payment must match, and when to ask WeChat again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.kernel.money import Fen
from app.kernel.states import BORN, Edge, Machine
from payments.wechat import Transaction

CHARGE_EDGES: tuple[Edge, ...] = (
    (BORN, "born", "created"),
    ("created", "waive", "fulfilled"),
    ("created", "pay", "paid"),
    ("created", "withdraw", "closing"),
    ("closing", "close", "closed"),
    ("closing", "pay", "paid"),
    ("closed", "pay", "paid_late"),
    ("paid", "fulfil", "fulfilled"),
    ("paid_late", "rebook", "rebooked"),
    ("paid_late", "refund", "refund_full"),
)
ORDER_EDGES: tuple[Edge, ...] = (
    (BORN, "born", "preparing"),
    ("preparing", "accept", "payable"),
    ("preparing", "time_out", "unknown"),
    ("preparing", "refuse", "refused"),
    ("preparing", "stop", "closing"),
    ("preparing", "pay", "paid"),
    ("unknown", "accept", "payable"),
    ("unknown", "vanish", "closed"),
    ("unknown", "close", "closed"),
    ("unknown", "stop", "closing"),
    ("unknown", "pay", "paid"),
    ("payable", "close", "closed"),
    ("payable", "stop", "closing"),
    ("payable", "pay", "paid"),
    ("closing", "close", "closed"),
    ("closing", "vanish", "closed"),
    ("closing", "pay", "paid"),
    ("closed", "pay", "paid"),
    ("refused", "pay", "paid"),
)
CHARGE = Machine("charge", CHARGE_EDGES)
ORDER = Machine("payment_order", ORDER_EDGES)
CHARGE_STATES = ("created", "closing", "closed", "paid", "paid_late", "fulfilled", "rebooked", "refund_full")
ORDER_STATES = ("preparing", "unknown", "payable", "closing", "closed", "refused", "paid")
OPEN_ORDER = ("preparing", "unknown", "payable", "closing")
GIVEN_BACK_AT_WECHAT = "REFUND"
PAID_AT_WECHAT = frozenset({"SUCCESS", GIVEN_BACK_AT_WECHAT})
"""After any refund an order reads REFUND for ever, so REFUND is paid too (WeChat Pay v3: partner/4012791856)."""
STRAY = "stray"
"""The source of a charge under which a payment of nobody knows what is given back."""
NO_SUCH_ORDER = frozenset({"ORDER_NOT_EXIST", "ORDERNOTEXIST", "RESOURCE_NOT_EXISTS"})

ORDER_LIFE = timedelta(minutes=15)
STILL_WORTH_PAYING = timedelta(minutes=2)
CALL_MAY_TAKE = timedelta(minutes=1)
"""Longer than a call to WeChat with both hosts: before that a silent order is merely in flight."""
UNKNOWN_TOO_LONG = timedelta(minutes=15)
CLOCKS_DIFFER = timedelta(minutes=2)
LONGEST_DESCRIPTION = 127
MOST_SUB_ORDERS = 50
"""WeChat combines no more (WeChat Pay v3: partner/4012792004)."""
KNOWN_WITHIN = timedelta(minutes=5)
"""How soon after a payment we know of it though nobody tells us, as long as WeChat answers."""
_ASKED_AT = (10, 30, 60, 120, 300, 450, 600, 750)
"""Seconds after an order was placed: never so far apart as `KNOWN_WITHIN`."""
_UNKNOWN_WAITS = (5, 10, 20, 40, 80, 160, 240)


def words(states: Iterable[str]) -> str:
    """States as a list of SQL literals, for constraints."""
    return ", ".join(f"'{state}'" for state in states)


def for_wechats_bill(description: str) -> str:
    """A description whose comma or backtick would break the columns of WeChat's bill, with harmless ones."""
    return description.replace(",", "，").replace("`", "'")


@dataclass(frozen=True)
class Expected:
    """What an order of ours must look like at WeChat, field by field."""

    sp_appid: str
    sp_mchid: str
    sub_mchid: str
    out_trade_no: str
    total_fen: Fen
    sp_openid: str | None
    """None once the payer was forgotten: then anybody may be."""
    currency: str = "CNY"


def discrepancies(expected: Expected, paid: Transaction) -> list[str]:
    """The names of the fields in which a payment differs from our order; none: it is ours."""
    known = {name: ours for name, ours in vars(expected).items() if ours is not None}
    wrong = [name for name, ours in known.items() if getattr(paid, name) != ours]
    absent = [name for name in ("transaction_id", "success_time") if getattr(paid, name) is None]
    return wrong + absent


def outcome_of(owed_states: Iterable[str], *, is_paid_again: bool) -> str:
    """What comes of a payment: a charge that was closed is `paid_late`, one that needed it no more `paid_twice`."""
    is_late = any((state, "pay", "paid_late") in CHARGE_EDGES for state in owed_states)
    return "paid_twice" if is_paid_again else "paid_late" if is_late else "paid"


def severity_of(fields: Iterable[str]) -> int:
    """1 when the money may lie at another payee, else 2."""
    return 1 if {"sub_mchid", "sp_mchid"} & set(fields) else 2


def can_be_offered_again(state: str, expires_at: datetime, now: datetime) -> bool:
    """Whether the same order may be handed to the same payer once more."""
    return state in {"preparing", "unknown", "payable"} and expires_at - now >= STILL_WORTH_PAYING


def must_end(order_state: str, expires_at: datetime, charge_states: Iterable[str], now: datetime) -> bool:
    """Whether an unpaid order has to be closed at WeChat: it expired, or somebody owes one of its charges no more."""
    return order_state == "closing" or expires_at <= now or any(each != "created" for each in charge_states)


def cannot_be_paid_any_more(expires_at: datetime, now: datetime) -> bool:
    """Whether an order is over by its own end, with room for clocks that differ."""
    return now - expires_at >= CLOCKS_DIFFER


def is_unknown_too_long(state: str, created_at: datetime, expires_at: datetime, now: datetime) -> bool:
    """Whether a person must hear that WeChat does not tell what became of an order.

    One that is being closed came into doubt with its end, not before: a single lost answer is nothing to hear of.
    """
    since = expires_at if state == "closing" else created_at
    return state != "payable" and now - since > UNKNOWN_TOO_LONG


def described(descriptions: Sequence[str]) -> str:
    """What WeChat shows of an order for several charges."""
    first, *others = descriptions
    ending = f" 等{len(descriptions)}笔" if others else ""
    return first[: LONGEST_DESCRIPTION - len(ending)] + ending


def next_check(state: str, checks: int, created_at: datetime, expires_at: datetime, now: datetime) -> datetime:
    """When to ask WeChat about an order again, after `checks` questions (reliability: sweeper cadence).

    A payable one 10 s, 30 s, 1, 2, 5, 7.5, 10 and 12.5 min after it was placed and at its expiry, so that a payment
    is known of within five minutes; any other soon, then ever more slowly, at last every four minutes.
    """
    planned = _next_of_payable(created_at, now) if state == "payable" else now + _wait(checks)
    return min(planned, expires_at) if now < expires_at else planned


def _next_of_payable(created_at: datetime, now: datetime) -> datetime:
    moments = (created_at + timedelta(seconds=each) for each in _ASKED_AT)
    return next((each for each in moments if each > now), now + _wait(len(_UNKNOWN_WAITS)))


def _wait(checks: int) -> timedelta:
    return timedelta(seconds=_UNKNOWN_WAITS[min(checks, len(_UNKNOWN_WAITS) - 1)])
