"""The tester's side door, `/control`: plain JSON, no signatures. docs/wechat.md has the table."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from simulators.wechat.combined import Combined
from simulators.wechat.courier import Habit
from simulators.wechat.errors import ApiError, compact
from simulators.wechat.faults import Fault
from simulators.wechat.notices import Notice
from simulators.wechat.orders import Order, PaymentFailed
from simulators.wechat.refunds import Refund
from simulators.wechat.settings import Switches
from simulators.wechat.world import World
from simulators.wire import Asked, Reply

Wish = dict[str, Any]


class Control:
    def __init__(self, world: World) -> None:
        self._world = world

    def answer(self, asked: Asked) -> Reply:
        run = ACTIONS.get((asked.method, asked.path.removeprefix("/control")))
        if run is None:
            return _reply(404, {"error": "no such control"})
        try:
            wish = json.loads(asked.body) if asked.body else dict(asked.query)
            return _reply(200, run(self, wish))
        except PaymentFailed as failure:
            return _reply(409, {"errMsg": f"requestPayment:fail {failure}"})
        except KeyError as missing:
            return _reply(404, {"error": f"unknown {missing}"})
        except (TypeError, ValueError) as wrong:
            return _reply(400, {"error": str(wrong)})

    def health(self, _: Wish) -> Wish:
        account = self._world.material.account
        return {
            "status": "ok",
            "now": self._world.clock.now(),
            "app_id": account.app_id,
            "sp_mchid": account.sp_mchid,
        }

    def mint_login_code(self, wish: Wish) -> Wish:
        person = self._world.people.meet(**wish)
        return {"code": self._world.login_codes.issue(person.openid), **asdict(person)}

    def mint_phone_code(self, wish: Wish) -> Wish:
        person = self._world.people.meet(**wish)
        return {"code": self._world.phone_codes.issue(person.openid), **asdict(person)}

    def revoke_tokens(self, _: Wish) -> Wish:
        self._world.tokens.revoke()
        return {}

    def pay(self, wish: Wish) -> Wish:
        order = self._to_pay(wish)
        if isinstance(order, Combined):
            return self._pay_together(order, wish)
        notice = self._world.cashier.pay(
            order, wish.get("openid", ""), wish.get("payer_total"), forced=wish.get("force", False)
        )
        return {
            "errMsg": "requestPayment:ok",
            "out_trade_no": order.number,
            "transaction_id": order.transaction_id,
            "notice_id": notice.id,
        }

    def _pay_together(self, whole: Combined, wish: Wish) -> Wish:
        """`only`: the numbers of the sub-orders that get paid, as a fault of WeChat's."""
        paid, notice = self._world.cashier.pay_together(
            whole, wish.get("openid", ""), wish.get("only", ()), forced=wish.get("force", False)
        )
        return {
            "errMsg": "requestPayment:ok",
            "out_trade_no": whole.number,
            "transactions": {order.number: order.transaction_id for order in paid},
            "notice_id": notice.id,
        }

    def cancel(self, wish: Wish) -> Wish:
        self._world.orders.cancel(wish["out_trade_no"])
        return {"errMsg": "requestPayment:fail cancel"}

    def refund(self, wish: Wish) -> Wish:
        self._world.orders.refund(wish["out_trade_no"])
        return {"trade_state": "REFUND"}

    def settle_refund(self, wish: Wish) -> Wish:
        """A refund comes to its end now, or to another one, and the merchant is told."""
        refund = self._world.refunds.settle(wish["out_refund_no"], wish["status"])
        notice = self._world.report(refund, wish["status"], self._world.clock.now())
        return {"refund_id": refund.refund_id, "notice_id": notice.id}

    def set_habit(self, wish: Wish) -> Wish:
        number = wish.pop("out_trade_no", "")
        habit = Habit(**wish)
        self._world.courier.adopt(habit, number)
        return asdict(habit)

    def redeliver(self, wish: Wish) -> Wish:
        notice = self._notice(wish)
        statuses = self._world.courier.hand_over(notice, wish.get("copies", 1))
        return {"notice_id": notice.id, "statuses": statuses}

    def forge(self, wish: Wish) -> Wish:
        notice = self._world.notices.forged(self._world.orders.order(wish["out_trade_no"]), wish["kind"])
        return {"notice_id": notice.id, "statuses": self._world.courier.hand_over(notice, wish.get("copies", 1))}

    def plan_fault(self, wish: Wish) -> Wish:
        fault = Fault(**wish)
        self._world.faults.plan(fault)
        return asdict(fault)

    def clear_faults(self, _: Wish) -> Wish:
        self._world.faults.clear()
        return {}

    def calm(self, _: Wish) -> Wish:
        """Everything as on a good day: no faults, bills from the book, no messages yet; older notices are given up."""
        self._world.faults.clear()
        self._world.subscriptions.reset()
        self._world.bills.release()
        self._world.courier.adopt(Habit())
        self._world.courier.rest()
        self._world.switches = Switches()
        return {}

    def switch(self, wish: Wish) -> Wish:
        self._world.switches = Switches(**(asdict(self._world.switches) | wish))
        return asdict(self._world.switches)

    def bind(self, wish: Wish) -> Wish:
        self._world.registry.add(wish["sub_mchid"])
        return {"sub_mchid": wish["sub_mchid"]}

    def book(self, wish: Wish) -> Wish:
        named = wish.get("out_trade_no")
        orders = [self._world.orders.order(named)] if named else self._world.orders.all()
        notices = self._world.courier.of(named) if named else self._world.courier.all()
        shown = [self._shown(order) for order in orders]
        paid = sum(order["total"] for order in shown if order["trade_state"] in ("SUCCESS", "REFUND"))
        refunds = self._world.refunds.of_order(named) if named else self._world.refunds.all()
        returned = [self._returned(refund) for refund in refunds]
        return {
            "orders": shown,
            "combined": [_combined(whole) for whole in self._world.combined.all()],
            "notices": [_noticed(notice) for notice in notices],
            "paid_fen": paid,
            "refunds": returned,
            "refunded_fen": sum(each["refund"] for each in returned if each["status"] != "CLOSED"),
        }

    def bill(self, wish: Wish) -> Wish:
        """A day's file as it would be served, ready or not asked for yet."""
        query = {"account_type": "BASIC", "algorithm": "AEAD_AES_256_GCM"} | wish
        served = self._world.bills.trade if wish["kind"] == "trade" else self._world.bills.flow
        try:
            return {"text": served(query, self._world.switches.fee_percent).decode()}
        except ApiError as refusal:
            raise ValueError(refusal.code) from refusal

    def force_bill(self, wish: Wish) -> Wish:
        """Another text for a day from now on; without one the book's."""
        self._world.bills.force(wish["kind"], wish["sub_mchid"], wish["bill_date"], wish.get("text"))
        return {}

    def release_bills(self, _: Wish) -> Wish:
        self._world.bills.release()
        return {}

    def offer_template(self, wish: Wish) -> Wish:
        self._world.subscriptions.offer(wish["template_id"], wish["keys"])
        return wish

    def subscribe(self, wish: Wish) -> Wish:
        """What `wx.requestSubscribeMessage` comes to: how many sends are allowed now."""
        left = self._world.subscriptions.allow(wish["openid"], wish["template_id"], wish.get("times", 1))
        return {"left": left}

    def limit_messages(self, wish: Wish) -> Wish:
        """`quota`: so many more messages of ours; `banned`: openids to whom we may not send."""
        self._world.subscriptions.quota = wish.get("quota")
        self._world.subscriptions.banned = set(wish.get("banned", []))
        return wish

    def messages(self, wish: Wish) -> Wish:
        return {"messages": [asdict(each) for each in self._world.subscriptions.shown(wish.get("openid", ""))]}

    def forget_messages(self, _: Wish) -> Wish:
        self._world.subscriptions.reset()
        return {}

    def _to_pay(self, wish: Wish) -> Order | Combined:
        if "combine_out_trade_no" in wish:
            return self._world.combined.whole(wish["combine_out_trade_no"])
        if "parameters" in wish:
            return self._world.cashier.open(wish["parameters"])
        if "prepay_id" in wish:
            return self._world.orders.order_of_prepay(wish["prepay_id"])
        return self._world.orders.order(wish["out_trade_no"])

    def _notice(self, wish: Wish) -> Notice:
        """The named notice, the order's newest genuine one, or - `new_id` - another about the same payment."""
        if "notice_id" in wish:
            return self._world.courier.notice(wish["notice_id"])
        if "combine_out_trade_no" in wish:
            return self._world.cashier.notice_of(self._world.combined.whole(wish["combine_out_trade_no"]))
        order = self._world.orders.order(wish["out_trade_no"])
        if not order.is_paid:
            raise ValueError("nobody paid this order")
        genuine = [notice for notice in self._world.courier.of(order.number) if not notice.forgery]
        return self._world.notices.paid(order) if wish.get("new_id") or not genuine else genuine[-1]

    def _returned(self, refund: Refund) -> Wish:
        return {
            "out_refund_no": refund.number,
            "refund_id": refund.refund_id,
            "out_trade_no": refund.order_number,
            "sub_mchid": refund.sub_mchid,
            "status": refund.status(self._world.clock.now()),
            "refund": refund.refund_fen,
            "total": refund.total_fen,
            "reason": refund.asked.get("reason", ""),
            "received_by": refund.received_by,
            "created_at": refund.created_at,
        }

    def _shown(self, order: Order) -> Wish:
        return {
            "out_trade_no": order.number,
            "sub_mchid": order.asked["sub_mchid"],
            "trade_state": order.state,
            "total": order.total_fen,
            "payer_total": order.payer_total_fen,
            "openid": order.openid,
            "description": order.asked["description"],
            "attach": order.asked.get("attach", ""),
            "transaction_id": order.transaction_id,
            "combine_out_trade_no": order.asked.get("combine_out_trade_no", ""),
            "created_at": order.created_at,
            "expires_at": order.expires_at,
            "paid_at": order.paid_at,
            "closed_at": order.closed_at,
            "cancelled": order.cancelled,
            "shipped": self._world.trade.reports_of(order),
            "prepay_ids": list(order.prepays),
        }


def _combined(whole: Combined) -> Wish:
    return {"combine_out_trade_no": whole.number, "sub_orders": whole.sub_numbers, "prepay_ids": list(whole.prepays)}


def _noticed(notice: Notice) -> Wish:
    shown = asdict(notice)
    shown["out_trade_no"] = shown.pop("number")
    del shown["body"]
    return shown


def _reply(status: int, body: Wish) -> Reply:
    return Reply(status, compact(body), {"Content-Type": "application/json; charset=utf-8"})


ACTIONS: dict[tuple[str, str], Callable[[Control, Wish], Wish]] = {
    ("GET", "/health"): Control.health,
    ("GET", "/book"): Control.book,
    ("POST", "/login-codes"): Control.mint_login_code,
    ("POST", "/phone-codes"): Control.mint_phone_code,
    ("POST", "/revoke-tokens"): Control.revoke_tokens,
    ("POST", "/pay"): Control.pay,
    ("POST", "/cancel"): Control.cancel,
    ("POST", "/refund"): Control.refund,
    ("POST", "/refund-outcomes"): Control.settle_refund,
    ("POST", "/notices"): Control.set_habit,
    ("POST", "/redeliver"): Control.redeliver,
    ("POST", "/forge"): Control.forge,
    ("POST", "/faults"): Control.plan_fault,
    ("DELETE", "/faults"): Control.clear_faults,
    ("POST", "/switches"): Control.switch,
    ("POST", "/calm"): Control.calm,
    ("POST", "/sub-merchants"): Control.bind,
    ("GET", "/bills"): Control.bill,
    ("POST", "/bills"): Control.force_bill,
    ("DELETE", "/bills"): Control.release_bills,
    ("POST", "/templates"): Control.offer_template,
    ("POST", "/subscriptions"): Control.subscribe,
    ("POST", "/message-limits"): Control.limit_messages,
    ("GET", "/messages"): Control.messages,
    ("DELETE", "/messages"): Control.forget_messages,
}
