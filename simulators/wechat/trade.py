"""Orders as the mini-program's side of WeChat sees them (发货信息管理): paid for, and reported as rendered or not."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import RLock
from typing import Any

from simulators.wechat.orders import Order, Orders
from simulators.wechat.people import Errcode

PAID, SHIPPED, REFUNDED = 1, 2, 5
VIRTUAL, AT_ONCE, BY_TRANSACTION = 3, 1, 2
LONGEST_ITEM = 120
MOST_REPORTS = 2
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d)")


@dataclass
class Reports:
    """What was reported of one order, the latest last."""

    said: list[dict[str, Any]] = field(default_factory=list)


class Trade:
    def __init__(self, orders: Orders, refunded_fen: Callable[[str], int]) -> None:
        self._orders = orders
        self._refunded_fen = refunded_fen
        self._lock = RLock()
        self._reports: dict[str, Reports] = {}

    def upload(self, asked: dict[str, Any]) -> None:
        """Takes a report in the order in which WeChat looks at it; raises `Errcode`."""
        _check(asked)
        order = self._order(str(asked["order_key"]["transaction_id"]))
        if asked["payer"]["openid"] != order.openid:
            raise Errcode(40003, "invalid openid")
        if self.state(order) == REFUNDED:
            raise Errcode(10060004, "支付单处于不可发货的状态")
        with self._lock:
            reports = self._reports.setdefault(order.transaction_id, Reports())
            if reports.said and reports.said[-1]["shipping_list"] == asked["shipping_list"]:
                raise Errcode(10060023, "发货信息未更新")
            if len(reports.said) >= MOST_REPORTS:
                raise Errcode(10060003, "支付单已使用重新发货机会")
            reports.said.append(asked)

    def shown(self, transaction_id: str) -> dict[str, Any]:
        """The order of a query; raises `Errcode`."""
        order = self._order(transaction_id)
        return {"transaction_id": transaction_id, "openid": order.openid, "order_state": self.state(order)}

    def state(self, order: Order) -> int:
        """1 paid, 2 reported, 5 all of it went back."""
        if self._refunded_fen(order.number) >= order.total_fen:
            return REFUNDED
        return SHIPPED if self.reports_of(order) else PAID

    def reports_of(self, order: Order) -> list[dict[str, Any]]:
        with self._lock:
            return list(self._reports.get(order.transaction_id, Reports()).said)

    def _order(self, transaction_id: str) -> Order:
        number = self._orders.number_of(transaction_id)
        if not number:
            raise Errcode(10060001, "支付单不存在")
        return self._orders.order(number)


def _check(asked: dict[str, Any]) -> None:
    key, parcels, payer = asked.get("order_key"), asked.get("shipping_list"), asked.get("payer")
    fits = (
        isinstance(key, dict)
        and key.get("order_number_type") == BY_TRANSACTION
        and asked.get("logistics_type") == VIRTUAL
        and asked.get("delivery_mode") == AT_ONCE
        and isinstance(parcels, list)
        and len(parcels) == 1
        and 0 < len(str(parcels[0].get("item_desc", ""))) <= LONGEST_ITEM
        and MOMENT.fullmatch(str(asked.get("upload_time", "")))
        and isinstance(payer, dict)
        and "openid" in payer
    )
    if not fits:
        raise Errcode(47001, "data format error")
