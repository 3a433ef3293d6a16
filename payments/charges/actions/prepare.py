"""From what is owed to the parameters with which the mini-program opens WeChat's cashier."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import select

from app.kernel import clock
from app.kernel.db import current, transaction
from app.kernel.faults import fault_point
from app.kernel.refusals import Conflict, Unavailable
from payments.charges.actions import calls
from payments.charges.actions.check import check_order, end_order
from payments.charges.actions.locks import Checkout, lock_charges, lock_checkout
from payments.charges.actions.place import Payer, TooManyAtOnce, body_of, place
from payments.charges.actions.settle import payer_of
from payments.charges.actions.withdraw import AlreadyPaid
from payments.charges.models import Charge, Order, OrderLine
from payments.charges.rules import OPEN_ORDER, ORDER, can_be_offered_again, next_check
from payments.wechat import Done, Refused, Unknown, WeChatPay

__all__ = ["ChargeClosed", "PaymentRefused", "PaymentUncertain", "TooManyAtOnce", "prepare", "prepare_together"]


class ChargeClosed(Conflict):
    """The charge was withdrawn; nothing is owed."""

    code = "charge_closed"
    message = "该笔费用已取消，无需支付"


class PaymentUncertain(Unavailable):
    """What became of an order at WeChat is not known yet; it is being asked."""

    code = "payment_uncertain"
    message = "支付结果确认中，请稍后再试"


class PaymentRefused(Unavailable):
    """WeChat did not take the order."""

    code = "payment_refused"
    message = "微信支付暂时无法受理，请稍后再试"


@dataclass(frozen=True)
class Attempt:
    """One call about one checkout, written down and committed before it leaves; or orders that must end first.

    `order_id` is any order of the checkout.
    """

    order_id: int = 0
    call_id: int | None = None
    body: bytes = field(default=b"", repr=False)
    combined: bool = False
    first: bool = False
    stale: frozenset[int] = frozenset()

    def send(self, pay: WeChatPay) -> Done[str] | Refused | Unknown:
        return pay.create_combined(self.body) if self.combined else pay.create_order(self.body)


def prepare(charge_key: uuid.UUID, openid: str, pay: WeChatPay, *, sp_appid: str, notify_url: str) -> dict[str, str]:
    """Order one charge at WeChat; as `prepare_together`."""
    return prepare_together([charge_key], openid, pay, sp_appid=sp_appid, notify_url=notify_url)


def prepare_together(
    charge_keys: Collection[uuid.UUID], openid: str, pay: WeChatPay, *, sp_appid: str, notify_url: str
) -> dict[str, str]:
    """Order charges at WeChat, to be paid in one go; returns the signed parameters for `wx.requestPayment`.

    Charges of one payee become one order, those of several a combined order (合单) with a sub-order for each payee.
    Outside any transaction. Asking again for the same charges sends the identical bytes under the same number
    and brings a fresh prepay_id; an order that expired, is another payer's or asks for one of them among others is
    closed at WeChat first, so that a charge never has two open orders. Refuses `NoSuchCharge`, `AlreadyPaid`,
    `ChargeClosed`, `TooManyAtOnce`, `PaymentRefused`, and `PaymentUncertain` when WeChat does not tell.
    """
    payer = Payer(openid, sp_appid, notify_url)
    attempt = _attempt(charge_keys, payer)
    if attempt.stale:
        for order_id in sorted(attempt.stale):
            end_order(order_id, pay)
        attempt = _attempt(charge_keys, payer)
    if attempt.stale:
        raise PaymentUncertain
    fault_point("prepare.intended")
    outcome = attempt.send(pay)
    fault_point("prepare.answered")
    prepay_id = _learn(attempt, outcome)
    if prepay_id is None:
        _explain(charge_keys, attempt, outcome, pay)
        raise PaymentUncertain
    return pay.payment_parameters(prepay_id)


def _attempt(charge_keys: Collection[uuid.UUID], payer: Payer) -> Attempt:
    with transaction():
        charges = lock_charges(charge_keys)
        for charge in charges:
            _expect_owed(charge)
        asking = _open_orders(charges)
        if not asking:
            return _call(place(charges, payer), first=True)
        if {each.id for each in charges} != _asked_with(asking):
            return Attempt(stale=frozenset(asking))
        checkout = lock_checkout(min(asking))
        if len(checkout.still_open) == len(checkout.orders) and _is_offerable(checkout, payer):
            return _call(checkout)
        return Attempt(stale=frozenset(asking))


def _expect_owed(charge: Charge) -> None:
    if charge.state in {"closing", "closed"}:
        raise ChargeClosed(charge_key=str(charge.key))
    if charge.state != "created":
        raise AlreadyPaid(charge_key=str(charge.key))


def _open_orders(charges: Collection[Charge]) -> set[int]:
    """Ids of the orders that ask for these locked charges and could still be paid; one for each checkout is enough."""
    asking = select(OrderLine.order_id).where(
        OrderLine.charge_id.in_([each.id for each in charges]), OrderLine.order_state.in_(OPEN_ORDER)
    )
    return set(current().scalars(asking))


def _asked_with(order_ids: Collection[int]) -> set[int]:
    """Ids of all charges of these orders and of those that are paid together with them; lines never change."""
    orders = current().execute(select(Order.id, Order.combined_id).where(Order.id.in_(order_ids))).all()
    combined = [each.combined_id for each in orders if each.combined_id is not None]
    together = select(Order.id).where(Order.id.in_(order_ids) | Order.combined_id.in_(combined))
    return set(current().scalars(select(OrderLine.charge_id).where(OrderLine.order_id.in_(together))))


def _is_offerable(checkout: Checkout, payer: Payer) -> bool:
    return all(_suits(order, payer) for order in checkout.orders)


def _suits(order: Order, payer: Payer) -> bool:
    same = payer_of(order) == payer.openid and order.sp_appid == payer.sp_appid
    return same and can_be_offered_again(order.state, order.expires_at, clock.now())


def _call(checkout: Checkout, *, first: bool = False) -> Attempt:
    body = body_of(checkout.root)
    call_id = calls.intend(checkout.root, "create", body)
    return Attempt(checkout.orders[0].id, call_id, body, checkout.whole is not None, first)


def _learn(attempt: Attempt, outcome: Done[str] | Refused | Unknown) -> str | None:
    """Save the answer; the prepay_id when everything may be paid with it."""
    assert attempt.call_id is not None
    with transaction():
        checkout = lock_checkout(attempt.order_id)
        calls.answer(attempt.call_id, outcome)
        match outcome:
            case Done(value=prepay_id):
                return _accept(checkout, prepay_id)
            case Refused(signed=True) if attempt.first and all(each.state == "preparing" for each in checkout.orders):
                for order in checkout.orders:
                    ORDER.move(order, "refuse", "create")
                checkout.root.next_check_at = None
            case _:
                _doubt(checkout)
        return None


def _accept(checkout: Checkout, prepay_id: str) -> str | None:
    now = clock.now()
    for order in checkout.orders:
        order.prepay_id = prepay_id
        if ORDER.may(order.state, "accept"):
            ORDER.move(order, "accept", "create")
            checkout.root.next_check_at = next_check(order.state, 0, order.created_at, order.expires_at, now)
    return prepay_id if all(each.state == "payable" for each in checkout.orders) else None


def _doubt(checkout: Checkout) -> None:
    """A timeout is unknown, never failed: the sweeper asks at once."""
    for order in checkout.orders:
        if order.state == "preparing":
            ORDER.move(order, "time_out", "create")
        if order.state == "unknown":
            checkout.root.next_check_at = clock.now()


def _explain(
    charge_keys: Collection[uuid.UUID], attempt: Attempt, outcome: Done[str] | Refused | Unknown, pay: WeChatPay
) -> None:
    """Refuse with what is known by now: refused for good, paid meanwhile, or withdrawn."""
    if isinstance(outcome, Refused) and outcome.signed and attempt.first:
        raise PaymentRefused
    if isinstance(outcome, Refused):
        check_order(attempt.order_id, pay)
    with transaction():
        for charge in lock_charges(charge_keys):
            _expect_owed(charge)
