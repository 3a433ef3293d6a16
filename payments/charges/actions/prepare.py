"""From a charge to the parameters with which the mini-program opens WeChat's cashier."""

import uuid
from dataclasses import dataclass, field

from app.kernel import clock
from app.kernel.crypto import seal, unseal
from app.kernel.db import current, transaction
from app.kernel.faults import fault_point
from app.kernel.ids import new_key
from app.kernel.refusals import Conflict, Unavailable
from payments.charges.actions import calls
from payments.charges.actions.check import check_order, end_order
from payments.charges.actions.locks import lock_charge, lock_open_order, lock_order
from payments.charges.actions.settle import payer_place
from payments.charges.actions.withdraw import AlreadyPaid
from payments.charges.models import Charge, Order
from payments.charges.rules import CALL_MAY_TAKE, ORDER, ORDER_LIFE, can_be_offered_again, next_check
from payments.payees.queries import channel_of
from payments.wechat import Done, JsapiOrder, Refused, Unknown, WeChatPay


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
class Payer:
    """Who pays, in which mini-program, and where WeChat reports it."""

    openid: str = field(repr=False)
    sp_appid: str
    notify_url: str


@dataclass(frozen=True)
class Attempt:
    """One call about one order, written down and committed before it leaves. `stale`: end this order first."""

    order_id: int
    call_id: int | None = None
    body: bytes = field(default=b"", repr=False)
    first: bool = False

    @property
    def stale(self) -> bool:
        return self.call_id is None


def prepare(charge_key: uuid.UUID, openid: str, pay: WeChatPay, *, sp_appid: str, notify_url: str) -> dict[str, str]:
    """Order the charge at WeChat and return the signed parameters for `wx.requestPayment`.

    Outside any transaction. Asking again for the same charge sends the identical bytes under the same number
    and brings a fresh prepay_id; an expired order, or another payer's, is closed at WeChat first, so that a
    charge never has two open orders. Refuses `NoSuchCharge`, `AlreadyPaid`, `ChargeClosed`, `PaymentRefused`,
    and `PaymentUncertain` when WeChat does not tell.
    """
    payer = Payer(openid, sp_appid, notify_url)
    attempt = _attempt(charge_key, payer)
    if attempt.stale:
        end_order(attempt.order_id, pay)
        attempt = _attempt(charge_key, payer)
    if attempt.stale:
        raise PaymentUncertain
    fault_point("prepare.intended")
    outcome = pay.create_order(attempt.body)
    fault_point("prepare.answered")
    prepay_id = _learn(attempt, outcome)
    if prepay_id is None:
        _explain(charge_key, attempt, outcome, pay)
        raise PaymentUncertain
    return pay.payment_parameters(prepay_id)


def _attempt(charge_key: uuid.UUID, payer: Payer) -> Attempt:
    with transaction():
        charge = lock_charge(charge_key)
        _expect_owed(charge)
        order = lock_open_order(charge)
        if order is None:
            return _call(_new_order(charge, payer), first=True)
        return _call(order) if _is_offerable(order, payer) else Attempt(order.id)


def _expect_owed(charge: Charge) -> None:
    if charge.state in {"closing", "closed"}:
        raise ChargeClosed
    if charge.state != "created":
        raise AlreadyPaid


def _is_offerable(order: Order, payer: Payer) -> bool:
    same = unseal(order.payer, payer_place(order)) == payer.openid and order.sp_appid == payer.sp_appid
    return same and can_be_offered_again(order.state, order.expires_at, clock.now())


def _call(order: Order, *, first: bool = False) -> Attempt:
    body = unseal(order.body, _body_place(order)).encode()
    return Attempt(order.id, calls.intend(order, "create", body), body, first)


def _new_order(charge: Charge, payer: Payer) -> Order:
    now, key, channel = clock.now(), new_key(), channel_of(charge.payee_id)
    order = Order(
        key=key, charge_id=charge.id, channel_id=channel.id, payee_id=charge.payee_id, amount_fen=charge.amount_fen,
        out_trade_no=key.hex, sp_appid=payer.sp_appid, state="preparing", created_at=now,
        expires_at=now + ORDER_LIFE, next_check_at=now + CALL_MAY_TAKE,
    )  # fmt: skip
    order.payer = seal(payer.openid, payer_place(order))
    order.body = seal(_body(charge, order, payer, channel.sub_mchid), _body_place(order))
    current().add(order)
    ORDER.born(order, f"charge:{charge.key}")
    return order


def _body(charge: Charge, order: Order, payer: Payer, sub_mchid: str) -> str:
    wanted = JsapiOrder(
        out_trade_no=order.out_trade_no, sub_mchid=sub_mchid, description=charge.description,
        amount_fen=order.amount_fen, sp_openid=payer.openid, notify_url=payer.notify_url,
        time_expire=order.expires_at,
    )  # fmt: skip
    return wanted.body().decode()


def _body_place(order: Order) -> str:
    return f"payment_order.body:{order.key}"


def _learn(attempt: Attempt, outcome: Done[str] | Refused | Unknown) -> str | None:
    """Save the answer; the prepay_id when the order may be paid with it."""
    assert attempt.call_id is not None
    with transaction():
        _, order = lock_order(attempt.order_id)
        calls.answer(attempt.call_id, outcome)
        match outcome:
            case Done(value=prepay_id):
                return _accept(order, prepay_id)
            case Refused(signed=True) if attempt.first and order.state == "preparing":
                ORDER.move(order, "refuse", "create")
                order.next_check_at = None
            case _:
                _doubt(order)
        return None


def _accept(order: Order, prepay_id: str) -> str | None:
    order.prepay_id = prepay_id
    if ORDER.may(order.state, "accept"):
        ORDER.move(order, "accept", "create")
        order.next_check_at = next_check(order.state, 0, order.expires_at, clock.now())
    return prepay_id if order.state == "payable" else None


def _doubt(order: Order) -> None:
    """A timeout is unknown, never failed: the sweeper asks at once."""
    if order.state == "preparing":
        ORDER.move(order, "time_out", "create")
    if order.state == "unknown":
        order.next_check_at = clock.now()


def _explain(charge_key: uuid.UUID, attempt: Attempt, outcome: Done[str] | Refused | Unknown, pay: WeChatPay) -> None:
    """Refuse with what is known by now: refused for good, paid meanwhile, or withdrawn."""
    if isinstance(outcome, Refused) and outcome.signed and attempt.first:
        raise PaymentRefused
    if isinstance(outcome, Refused):
        check_order(attempt.order_id, pay)
    with transaction():
        _expect_owed(lock_charge(charge_key))
