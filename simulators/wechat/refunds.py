"""WeChat's own book of refunds: what was asked for, what went back, what could not."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from threading import RLock
from typing import Any

from simulators.clock import rfc3339
from simulators.wechat.errors import ApiError
from simulators.wechat.ids import Ids
from simulators.wechat.orders import Order, Orders
from simulators.wechat.settings import Switches

STATUSES = ("PROCESSING", "SUCCESS", "CLOSED", "ABNORMAL")
MOST = 50
APART_SECONDS = 60
WINDOW_SECONDS = 365 * 86400


@dataclass
class Refund:
    """One refund; times are Unix seconds, amounts fen. `asked` is its request, to compare a second one with.

    It is PROCESSING until `settles_at`, and `outcome` from then on.
    """

    asked: dict[str, Any]
    refund_id: str
    order_number: str
    transaction_id: str
    total_fen: int
    created_at: float
    settles_at: float
    outcome: str
    card: str = ""
    """The bank and the last digits of the card to which it goes after it was ABNORMAL."""

    @property
    def number(self) -> str:
        return str(self.asked["out_refund_no"])

    @property
    def sub_mchid(self) -> str:
        return str(self.asked["sub_mchid"])

    @property
    def refund_fen(self) -> int:
        return int(self.asked["amount"]["refund"])

    @property
    def received_by(self) -> str:
        return self.card or "支付用户零钱"

    def status(self, now: float) -> str:
        return self.outcome if now >= self.settles_at else "PROCESSING"

    def shown(self, now: float) -> dict[str, Any]:
        """The refund as an answer shows it."""
        status = self.status(now)
        amount = {"total": self.total_fen, "refund": self.refund_fen, "payer_total": self.total_fen}
        more = {"payer_refund": self.refund_fen, "settlement_refund": self.refund_fen, "currency": "CNY"}
        return {
            "refund_id": self.refund_id,
            "out_refund_no": self.number,
            "transaction_id": self.transaction_id,
            "out_trade_no": self.order_number,
            "channel": "OTHER_BANKCARD" if self.card else "ORIGINAL",
            "user_received_account": self.received_by,
            "create_time": rfc3339(self.created_at),
            "status": status,
            "funds_account": "AVAILABLE",
            "amount": amount | more,
        } | ({"success_time": rfc3339(self.settles_at)} if status == "SUCCESS" else {})

    def noticed(self, sp_mchid: str, status: str) -> dict[str, Any]:
        """The refund as a notice tells of it: there its state has another name."""
        amount = {"total": self.total_fen, "refund": self.refund_fen}
        return {
            "sp_mchid": sp_mchid,
            "sub_mchid": self.sub_mchid,
            "transaction_id": self.transaction_id,
            "out_trade_no": self.order_number,
            "refund_id": self.refund_id,
            "out_refund_no": self.number,
            "refund_status": status,
            "user_received_account": self.received_by,
            "amount": amount | {"payer_total": self.total_fen, "payer_refund": self.refund_fen},
        } | ({"success_time": rfc3339(self.settles_at)} if status == "SUCCESS" else {})


class Refunds:
    """Every refund of our one service provider; a number stands for one refund for ever."""

    def __init__(self, ids: Ids, now: Callable[[], float], orders: Orders) -> None:
        self._ids = ids
        self._now = now
        self._orders = orders
        self._lock = RLock()
        self._refunds: dict[str, Refund] = {}

    def apply(self, asked: dict[str, Any], switches: Switches) -> tuple[Refund, bool]:
        """A new refund, or the known one when the request is identical; whether it is new. Raises `ApiError`."""
        with self._lock:
            known = self._refunds.get(asked["out_refund_no"])
            if known is not None:
                return _same(known, asked), False
            order = self._order(asked)
            self._expect_possible(order, asked, switches)
            made = self._refunds[asked["out_refund_no"]] = self._new(order, asked, switches)
            self._orders.refund(order.number)
            return made, True

    def known(self, number: str, sub_mchid: str) -> Refund:
        """The refund of a query. Raises `ApiError`."""
        with self._lock:
            found = self._refunds.get(number)
            if found is None or found.sub_mchid != sub_mchid:
                raise ApiError(404, "RESOURCE_NOT_EXISTS", "退款单不存在")
            return found

    def to_card(self, refund_id: str, asked: dict[str, Any], card: str, switches: Switches) -> Refund:
        """An ABNORMAL refund goes to a card, PROCESSING once more. Raises `ApiError`."""
        with self._lock:
            refund = self.known(asked["out_refund_no"], asked["sub_mchid"])
            if refund.refund_id != refund_id or refund.status(self._now()) != "ABNORMAL":
                raise ApiError(400, "INVALID_REQUEST", "退款单状态不允许发起异常退款")
            refund.card, refund.outcome = card, switches.refund_outcome
            refund.settles_at = self._now() + switches.refund_seconds
            return refund

    def shown(self, refund: Refund) -> dict[str, Any]:
        return refund.shown(self._now())

    def settle(self, number: str, outcome: str) -> Refund:
        """What becomes of a refund, at once. Raises `KeyError`, and `ValueError` for no known status."""
        if outcome not in STATUSES:
            raise ValueError(f"status is one of {', '.join(STATUSES)}")
        with self._lock:
            refund = self._refunds[number]
            refund.outcome, refund.settles_at = outcome, self._now()
            return refund

    def of_order(self, number: str) -> list[Refund]:
        return [each for each in self.all() if each.order_number == number]

    def all(self) -> list[Refund]:
        with self._lock:
            return list(self._refunds.values())

    def replace(self, refunds: list[Refund]) -> None:
        """Takes up a book that was saved."""
        with self._lock:
            self._refunds = {each.number: each for each in refunds}

    def refunded_fen(self, number: str) -> int:
        """What went back of an order, or is on its way."""
        now = self._now()
        return sum(each.refund_fen for each in self.of_order(number) if each.status(now) != "CLOSED")

    def _order(self, asked: dict[str, Any]) -> Order:
        number = asked.get("out_trade_no") or self._orders.number_of(asked.get("transaction_id", ""))
        try:
            order = self._orders.order(number)
        except KeyError:
            raise ApiError(404, "RESOURCE_NOT_EXISTS", "订单不存在") from None
        if not order.is_paid:
            raise ApiError(404, "RESOURCE_NOT_EXISTS", "订单未支付")
        return order

    def _expect_possible(self, order: Order, asked: dict[str, Any], switches: Switches) -> None:
        earlier, now, amount = self.of_order(order.number), self._now(), asked["amount"]
        if order.asked["sub_mchid"] != asked["sub_mchid"] or amount["total"] != order.total_fen:
            raise ApiError(400, "INVALID_REQUEST", "退款信息与订单信息不一致")
        if now - order.paid_at > WINDOW_SECONDS or len(earlier) >= MOST:
            raise ApiError(400, "INVALID_REQUEST", "订单已超过可退款的最大期限或退款次数已达上限")
        if any(now - each.created_at < APART_SECONDS for each in earlier):
            raise ApiError(429, "FREQUENCY_LIMITED", "同一订单退款频率过高，请1分钟后再试")
        if self.refunded_fen(order.number) + amount["refund"] > order.total_fen:
            raise ApiError(400, "INVALID_REQUEST", "订单金额或退款金额不正确")
        if asked["sub_mchid"] in switches.empty_sub_merchants:
            raise ApiError(403, "NOT_ENOUGH", "基本账户余额不足，请充值后重新发起")

    def _new(self, order: Order, asked: dict[str, Any], switches: Switches) -> Refund:
        now = self._now()
        kept = json.loads(json.dumps(asked))
        settles_at, outcome = now + switches.refund_seconds, switches.refund_outcome
        return Refund(
            kept,
            self._ids.refund_id(now),
            order.number,
            order.transaction_id,
            order.total_fen,
            now,
            settles_at,
            outcome,
        )


def _same(known: Refund, asked: dict[str, Any]) -> Refund:
    if known.asked != asked:
        raise ApiError(400, "INVALID_REQUEST", "商户退款单号重复，且请求参数与原请求不一致")
    return known
