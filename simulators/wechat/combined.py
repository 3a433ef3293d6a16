"""Combined orders (合单): one cashier for several sub-merchants; the sub-orders stand in the book of all orders."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import RLock
from typing import Any

from simulators.wechat.errors import ApiError
from simulators.wechat.ids import Ids
from simulators.wechat.orders import PREPAY_SECONDS, Order, Orders, PaymentFailed, expect_placeable


@dataclass
class Combined:
    """One combined order; `asked` is its request, to compare a second one with."""

    asked: dict[str, Any]
    prepays: dict[str, float] = field(default_factory=dict)

    @property
    def number(self) -> str:
        return str(self.asked["combine_out_trade_no"])

    @property
    def sub_numbers(self) -> list[str]:
        return [str(each["out_trade_no"]) for each in self.asked["sub_orders"]]


class CombinedOrders:
    """Every combined order; its number is unique among all orders' numbers."""

    def __init__(self, ids: Ids, now: Callable[[], float], orders: Orders) -> None:
        self._ids = ids
        self._now = now
        self._orders = orders
        self._lock = RLock()
        self._wholes: dict[str, Combined] = {}

    def place(self, asked: dict[str, Any], paid_code: str) -> str:
        """A fresh prepay_id for a new combined order, or for the identical unpaid one. Raises `ApiError`."""
        with self._lock:
            whole = self._wholes.get(asked["combine_out_trade_no"])
            if whole is None:
                whole = self._new(asked)
            elif whole.asked != asked:
                raise ApiError(403, "OUT_TRADE_NO_USED", "商户订单号重复")
            else:
                for order in self.parts(whole):
                    expect_placeable(order, order.asked, paid_code, self._now())
            prepay_id = self._ids.prepay_id(self._now())
            whole.prepays[prepay_id] = self._now()
            return prepay_id

    def shown(self, number: str) -> dict[str, Any]:
        """The answer to a query. Raises `ApiError`."""
        return self.told(self._known(number))

    def told(self, whole: Combined) -> dict[str, Any]:
        """What a query and a notice tell: each sub-order in a state of its own."""
        return {
            "combine_appid": whole.asked["combine_appid"],
            "combine_mchid": whole.asked["combine_mchid"],
            "combine_out_trade_no": whole.number,
            "combine_payer_info": whole.asked["combine_payer_info"],
            "sub_orders": [_told(order) for order in self.parts(whole)],
        }

    def close(self, number: str, sub_orders: list[dict[str, Any]], paid_error: ApiError, *, rest: bool) -> None:
        """Closes what is not paid. With a paid part WeChat refuses, or, with `rest`, closes the others."""
        whole = self._known(number)
        if [each.get("out_trade_no") for each in sub_orders] != whole.sub_numbers:
            raise ApiError(400, "INVALID_REQUEST", "子单信息与原订单不一致")
        parts = self.parts(whole)
        if any(order.is_paid for order in parts) and (not rest or all(order.is_paid for order in parts)):
            raise paid_error
        for order in parts:
            if not order.is_paid:
                self._orders.close(order.number, order.asked["sub_mchid"], paid_error)

    def pay(self, whole: Combined, only: list[str], *, forced: bool = False) -> list[Order]:
        """The user pays everything, or (a fault of WeChat's) `only` some sub-orders. Raises `PaymentFailed`."""
        parts = self.parts(whole)
        if any(order.is_paid for order in parts):
            raise PaymentFailed("该订单已支付")
        wanted = [order for order in parts if not only or order.number in only]
        return [self._orders.pay(order.number, forced=forced) for order in wanted]

    def expect_prepay(self, whole: Combined, prepay_id: str) -> None:
        """Raises `PaymentFailed` unless this prepay_id is younger than two hours."""
        if self._now() - whole.prepays.get(prepay_id, 0.0) >= PREPAY_SECONDS:
            raise PaymentFailed("支付会话已失效")

    def parts(self, whole: Combined) -> list[Order]:
        return [self._orders.order(number) for number in whole.sub_numbers]

    def whole(self, number: str) -> Combined:
        """Raises `KeyError`."""
        with self._lock:
            return self._wholes[number]

    def whole_of_prepay(self, prepay_id: str) -> Combined | None:
        with self._lock:
            return next((each for each in self._wholes.values() if prepay_id in each.prepays), None)

    def all(self) -> list[Combined]:
        with self._lock:
            return list(self._wholes.values())

    def replace(self, wholes: list[Combined]) -> None:
        """Takes up a book that was saved."""
        with self._lock:
            self._wholes = {each.number: each for each in wholes}

    def _new(self, asked: dict[str, Any]) -> Combined:
        parts = [_as_order(asked, part) for part in asked["sub_orders"]]
        numbers = [asked["combine_out_trade_no"], *(part["out_trade_no"] for part in parts)]
        if len(set(numbers)) < len(numbers) or any(map(self._orders.is_known, numbers)):
            raise ApiError(403, "OUT_TRADE_NO_USED", "商户订单号重复")
        for part in parts:
            self._orders.add(part)
        whole = self._wholes[asked["combine_out_trade_no"]] = Combined(json.loads(json.dumps(asked)))
        return whole

    def _known(self, number: str) -> Combined:
        try:
            return self.whole(number)
        except KeyError:
            raise ApiError(404, "ORDER_NOT_EXIST", "订单不存在") from None


def _as_order(asked: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """A sub-order in the words of an ordinary one, so that cashier, refunds and bills need not know."""
    ending = {"time_expire": asked["time_expire"]} if "time_expire" in asked else {}
    return {
        "sp_appid": asked["combine_appid"],
        "sp_mchid": part["mchid"],
        "sub_mchid": part["sub_mchid"],
        "out_trade_no": part["out_trade_no"],
        "description": part["description"],
        "attach": part["attach"],
        "notify_url": asked["notify_url"],
        "amount": {"total": part["amount"]["total_amount"], "currency": part["amount"].get("currency", "CNY")},
        "payer": {"sp_openid": asked["combine_payer_info"]["openid"]},
        "combine_out_trade_no": asked["combine_out_trade_no"],
    } | ending


def _told(order: Order) -> dict[str, Any]:
    seen = order.transaction()
    paid = seen["amount"]
    amount = {"total_amount": paid["total"], "currency": paid["currency"]}
    if order.is_paid:
        amount |= {"payer_amount": paid["payer_total"], "payer_currency": paid["payer_currency"]}
    names = ("sub_mchid", "out_trade_no", "attach", "trade_state", "trade_type", "bank_type", "transaction_id")
    told = {name: seen[name] for name in (*names, "success_time") if name in seen}
    return {"mchid": seen["sp_mchid"], "amount": amount} | told
