"""WeChat's own book of orders: what was asked for, what was paid, what was closed."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import RLock
from typing import Any

from simulators.clock import rfc3339
from simulators.wechat.errors import ApiError
from simulators.wechat.ids import Ids
from simulators.wechat.schemas import at, expiry

PREPAY_SECONDS = 2 * 3600
LIFE_SECONDS = 7 * 86400
SHORTEST_SECONDS = 60

STATE_NAMES = {"SUCCESS": "支付成功", "REFUND": "转入退款", "NOTPAY": "订单未支付", "CLOSED": "订单已关闭"}


class PaymentFailed(Exception):
    """What `wx.requestPayment` tells the user after `requestPayment:fail `."""


@dataclass
class Order:
    """One order; times are Unix seconds, amounts fen. `asked` is its request, to compare a second one with."""

    asked: dict[str, Any]
    created_at: float
    expires_at: float
    state: str = "NOTPAY"
    prepays: dict[str, float] = field(default_factory=dict)
    transaction_id: str = ""
    payer_total_fen: int = 0
    paid_at: float = 0.0
    closed_at: float = 0.0
    cancelled: int = 0

    @property
    def number(self) -> str:
        return str(self.asked["out_trade_no"])

    @property
    def total_fen(self) -> int:
        return int(self.asked["amount"]["total"])

    @property
    def openid(self) -> str:
        return str(self.asked["payer"].get("sp_openid") or self.asked["payer"]["sub_openid"])

    @property
    def is_paid(self) -> bool:
        return self.state in ("SUCCESS", "REFUND")

    def transaction(self) -> dict[str, Any]:
        """The order as a query shows it; five fields appear only once it is paid."""
        asked = self.asked
        shown: dict[str, Any] = {
            "sp_appid": asked["sp_appid"],
            "sp_mchid": asked["sp_mchid"],
            "sub_mchid": asked["sub_mchid"],
            "out_trade_no": self.number,
            "trade_state": self.state,
            "trade_state_desc": STATE_NAMES[self.state],
            "attach": asked.get("attach", ""),
            "amount": {"total": self.total_fen, "currency": "CNY"},
        }
        return shown | (self._payment() if self.is_paid else {})

    def _payment(self) -> dict[str, Any]:
        return {
            "transaction_id": self.transaction_id,
            "trade_type": "JSAPI",
            "bank_type": "OTHERS",
            "success_time": rfc3339(self.paid_at),
            "payer": self.asked["payer"],
            "amount": {
                "total": self.total_fen,
                "payer_total": self.payer_total_fen,
                "currency": "CNY",
                "payer_currency": "CNY",
            },
        }


class Orders:
    """Every order of our one service provider; a number is unique across all its sub-merchants."""

    def __init__(self, ids: Ids, now: Callable[[], float]) -> None:
        self._ids = ids
        self._now = now
        self._lock = RLock()
        self._orders: dict[str, Order] = {}
        self._by_prepay: dict[str, str] = {}

    def place(self, asked: dict[str, Any], paid_code: str) -> str:
        """A fresh prepay_id for a new order, or for the identical unpaid one. Raises `ApiError`."""
        with self._lock:
            order = self._orders.get(asked["out_trade_no"])
            if order is None:
                order = self._orders[asked["out_trade_no"]] = self._new(asked)
            else:
                self._settle_age(order)
                expect_placeable(order, asked, paid_code, self._now())
            return self._prepay(order)

    def add(self, asked: dict[str, Any]) -> None:
        """A sub-order of a combined one: it is paid by the whole's prepay_id."""
        with self._lock:
            self._orders[asked["out_trade_no"]] = self._new(asked)

    def is_known(self, number: str) -> bool:
        with self._lock:
            return number in self._orders

    def is_part(self, number: str) -> bool:
        """Whether this is a sub-order of a combined one."""
        with self._lock:
            return number in self._orders and "combine_out_trade_no" in self._orders[number].asked

    def shown(self, number: str, sub_mchid: str) -> dict[str, Any]:
        """The transaction object of a query. Raises `ApiError`."""
        with self._lock:
            return self._known(number, sub_mchid).transaction()

    def number_of(self, transaction_id: str) -> str:
        """Our number behind WeChat's; empty for an unknown one."""
        with self._lock:
            found = (order.number for order in self._orders.values() if order.transaction_id == transaction_id)
            return next(found, "") if transaction_id else ""

    def close(self, number: str, sub_mchid: str, paid_error: ApiError) -> None:
        """Closes an unpaid order, a second time too. Raises `ApiError`."""
        with self._lock:
            order = self._known(number, sub_mchid)
            if order.is_paid:
                raise paid_error
            if order.state == "NOTPAY":
                order.state, order.closed_at = "CLOSED", self._now()

    def pay(self, number: str, payer_total_fen: int | None = None, *, forced: bool = False) -> Order:
        """The user pays. Raises `PaymentFailed`; a `forced` payment even succeeds on a closed or expired order."""
        with self._lock:
            order = self.order(number)
            self._settle_age(order)
            _expect_payable(order, self._now(), forced=forced)
            order.state, order.paid_at = "SUCCESS", self._now()
            order.transaction_id = self._ids.transaction_id(order.paid_at)
            order.payer_total_fen = order.total_fen if payer_total_fen is None else payer_total_fen
            return order

    def expect_prepay(self, order: Order, prepay_id: str) -> None:
        """Raises `PaymentFailed` unless this prepay_id is the order's and younger than two hours."""
        with self._lock:
            if self._now() - order.prepays.get(prepay_id, 0.0) >= PREPAY_SECONDS:
                raise PaymentFailed("支付会话已失效")

    def cancel(self, number: str) -> None:
        """The user turns back at the cashier; the order stays as it is."""
        with self._lock:
            self.order(number).cancelled += 1

    def refund(self, number: str) -> None:
        """Money went back: from the first fen on the state is REFUND, for ever."""
        with self._lock:
            order = self.order(number)
            if not order.is_paid:
                raise KeyError(number)
            order.state = "REFUND"

    def order(self, number: str) -> Order:
        """Raises `KeyError`."""
        with self._lock:
            return self._orders[number]

    def order_of_prepay(self, prepay_id: str) -> Order:
        """Raises `KeyError`."""
        with self._lock:
            return self._orders[self._by_prepay[prepay_id]]

    def all(self) -> list[Order]:
        with self._lock:
            return list(self._orders.values())

    def replace(self, orders: list[Order]) -> None:
        """Takes up a book that was saved."""
        with self._lock:
            self._orders = {order.number: order for order in orders}
            self._by_prepay = {prepay: order.number for order in orders for prepay in order.prepays}

    def _new(self, asked: dict[str, Any]) -> Order:
        now = self._now()
        wanted = expiry(asked)
        expires_at = now + LIFE_SECONDS if wanted is None else max(wanted, now + SHORTEST_SECONDS)
        return Order(json.loads(json.dumps(asked)), now, expires_at)

    def _prepay(self, order: Order) -> str:
        prepay_id = self._ids.prepay_id(self._now())
        order.prepays[prepay_id] = self._now()
        self._by_prepay[prepay_id] = order.number
        return prepay_id

    def _known(self, number: str, sub_mchid: str) -> Order:
        order = self._orders.get(number)
        if order is None:
            raise ApiError(404, "ORDER_NOT_EXIST", "订单不存在")
        if order.asked["sub_mchid"] != sub_mchid:
            raise ApiError(400, "INVALID_REQUEST", "商户号和订单不匹配")
        self._settle_age(order)
        return order

    def _settle_age(self, order: Order) -> None:
        """After seven days WeChat closes what nobody paid."""
        if order.state == "NOTPAY" and self._now() - order.created_at >= LIFE_SECONDS:
            order.state, order.closed_at = "CLOSED", order.created_at + LIFE_SECONDS


def expect_placeable(order: Order, asked: dict[str, Any], paid_code: str, now: float) -> None:
    """Raises `ApiError` unless the same order may be placed once more."""
    if order.asked != asked:
        raise ApiError(403, "OUT_TRADE_NO_USED", "商户订单号重复")
    if order.is_paid:
        raise ApiError(400, paid_code, "该订单已支付")
    if order.state == "CLOSED":
        raise ApiError(400, "ORDER_CLOSED", "该订单已关闭")
    if order.expires_at <= now:
        raise ApiError(400, "INVALID_REQUEST", "该订单已过期")


def _expect_payable(order: Order, now: float, *, forced: bool) -> None:
    if order.is_paid:
        raise PaymentFailed("该订单已支付")
    if forced:
        return
    if order.state == "CLOSED":
        raise PaymentFailed("该订单已关闭")
    if order.expires_at <= now:
        raise PaymentFailed("该订单已过期")


def payer_of(asked: dict[str, Any]) -> str:
    """The openid that a request names."""
    return str(at(asked, "/payer/sp_openid") or at(asked, "/payer/sub_openid"))
