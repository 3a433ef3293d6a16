"""The life of a report, when to try again, and what this room asks of whoever speaks with WeChat."""

from datetime import datetime, timedelta
from typing import Final, Literal, Protocol

from app.kernel.states import BORN, Machine

SHIPMENT: Final = Machine(
    "shipment", [(BORN, "born", "due"), ("due", "report", "reported"), ("due", "refuse", "refused")]
)
SHIPMENT_STATES: Final = ("due", "reported", "refused")
ASK_AGAIN: Final = timedelta(minutes=10)
"""How long WeChat's word on whether it must be told holds."""
LATE_AFTER: Final = timedelta(days=2)
"""Of what is still not told by then a person hears."""
REACHES_BACK: Final = timedelta(days=30)
"""How old a payment may be that is still reported when WeChat came to want it: longer it withholds no money."""
NOT_SHIPPABLE: Final = 10060004
"""WeChat's word that it wants no report of this payment (支付单处于不可发货的状态)."""
_WAITS: Final = (1, 2, 5, 10, 30, 60)


class Told(Protocol):
    """What came of telling WeChat."""

    @property
    def kind(self) -> Literal["done", "refused", "later"]: ...

    @property
    def errcode(self) -> int | None: ...


class Trade(Protocol):
    """Whoever speaks with WeChat about orders (发货信息管理)."""

    def is_managed(self) -> bool | None: ...

    def report(self, transaction_id: str, openid: str, item: str, at: datetime) -> Told: ...


def next_try(attempts: int, now: datetime) -> datetime:
    """When to tell WeChat again after so many tries: after 1, 2, 5, 10, 30 minutes, then every hour."""
    return now + timedelta(minutes=_WAITS[min(attempts, len(_WAITS)) - 1])
