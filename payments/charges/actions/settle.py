"""A payment that WeChat vouches for becomes ours: the one path for notices and queries alike, an order at a time."""

from collections.abc import Sequence

from sqlalchemy import select

from app.kernel import audit, clock
from app.kernel.crypto import unseal
from app.kernel.db import current
from app.kernel.faults import fault_point
from app.kernel.queue import enqueue
from payments.charges.actions.cases import open_case
from payments.charges.actions.locks import Checkout, lock_checkout_by_number, lock_open_order, root_of
from payments.charges.models import Charge, Order, Payment
from payments.charges.queries import order_reference
from payments.charges.rules import CHARGE, ORDER, Expected, discrepancies, severity_of
from payments.ledger.actions import post
from payments.ledger.rules import paid_lines, surplus_lines
from payments.payees.models import MerchantChannel, Payee
from payments.receipts.actions.request import request_receipt
from payments.wechat import Transaction


def settle(paid: Transaction, cause: str) -> str:
    """Record one successful payment in the running transaction and say what came of it.

    Moves money only when every field is our order's; whatever is authentic but wrong becomes a case in the
    same transaction. The same payment again changes nothing.
    """
    found = lock_checkout_by_number(paid.out_trade_no)
    fault_point("notice.after_lock")
    if found is None:
        return _case("unknown_order", paid, 2)
    checkout, order = found
    wrong = discrepancies(expected_of(order), paid)
    if wrong:
        return _case("payment_mismatch", paid, severity_of(wrong), order_id=order.id, fields=wrong)
    if _is_strange(order, paid):
        return _case("transaction_mismatch", paid, 2, order_id=order.id)
    if order.state == "paid":
        return "already_paid"
    return _pay(checkout, order, paid, cause)


def expected_of(order: Order) -> Expected:
    """What WeChat must say of this order."""
    channel = current().get_one(MerchantChannel, order.channel_id)
    return Expected(
        sp_appid=order.sp_appid, sp_mchid=channel.sp_mchid, sub_mchid=channel.sub_mchid,
        out_trade_no=order.out_trade_no, total_fen=order.amount_fen,
        sp_openid=unseal(order.payer, payer_place(order)),
    )  # fmt: skip


def payer_place(order: Order) -> str:
    """Where an order's openid is sealed to."""
    return f"payment_order.payer:{order.key}"


def _is_strange(order: Order, paid: Transaction) -> bool:
    """The order was paid by another transaction, or the transaction paid another order."""
    known = select(Order.id).where(Order.transaction_id == paid.transaction_id, Order.id != order.id)
    return order.transaction_id not in (None, paid.transaction_id) or current().scalar(known) is not None


def _case(kind: str, paid: Transaction, severity: int, **detail: object) -> str:
    reference = f"{paid.out_trade_no}:{paid.transaction_id}:{','.join(map(str, _fields(detail)))}"
    open_case(kind, reference, severity, **detail)
    return kind


def _fields(detail: dict[str, object]) -> list[object]:
    fields = detail.get("fields")
    return fields if isinstance(fields, list) else []


def _pay(checkout: Checkout, order: Order, paid: Transaction, cause: str) -> str:
    ORDER.move(order, "pay", cause, transaction_id=paid.transaction_id)
    checkout.root.next_check_at = clock.now() if checkout.still_open else None
    fault_point("notice.after_order")
    charges = checkout.charges_of(order)
    owed = [each for each in charges if CHARGE.may(each.state, "pay")]
    surplus = [each for each in charges if each not in owed]
    for charge in charges:
        _record_payment(order, charge, paid, surplus=charge in surplus)
    fault_point("notice.after_payment")
    _post_owed(order, owed, paid)
    _keep_surplus(order, surplus, paid)
    outcomes = {_pay_charge(each, order, cause) for each in owed} | {"paid_twice" for _ in surplus}
    return next(each for each in ("paid_twice", "paid_late", "paid") if each in outcomes)


def _record_payment(order: Order, charge: Charge, paid: Transaction, *, surplus: bool) -> None:
    payment = Payment(
        order_id=order.id, charge_id=charge.id, channel_id=order.channel_id, payee_id=order.payee_id,
        transaction_id=paid.transaction_id, paid_fen=charge.amount_fen, surplus=surplus,
        paid_at=paid.success_time, learned_at=clock.now(),
    )  # fmt: skip
    current().add(payment)
    current().flush()


def _post_owed(order: Order, owed: Sequence[Charge], paid: Transaction) -> None:
    assert paid.success_time is not None
    if owed:
        fen = sum(each.amount_fen for each in owed)
        post("payment", order_reference(order), order.payee_id, paid.success_time, paid_lines(fen))
        fault_point("notice.after_journal")


def _keep_surplus(order: Order, surplus: Sequence[Charge], paid: Transaction) -> None:
    """What was paid before is paid again with this order: the money stands in 长款 until its refund is under way."""
    assert paid.success_time is not None
    if surplus:
        fen = sum(each.amount_fen for each in surplus)
        post("surplus", order_reference(order), order.payee_id, paid.success_time, surplus_lines(fen))
    for charge in surplus:
        audit.record("charge.surplus", "charge", charge.id, order_reference(order))


def _pay_charge(charge: Charge, order: Order, cause: str) -> str:
    CHARGE.move(charge, "pay", cause)
    fault_point("notice.after_charge")
    audit.record("charge.pay", "charge", charge.id, cause, {"order_id": order.id})
    fault_point("notice.after_audit")
    _end_sibling(charge)
    return "paid_late" if charge.state == "paid_late" else _announce(charge)


def _end_sibling(charge: Charge) -> None:
    """Another order of the same charge must not be paid as well: the sweeper closes it at once."""
    sibling = lock_open_order(charge)
    if sibling is not None:
        root_of(sibling).next_check_at = clock.now()


def _announce(charge: Charge) -> str:
    payee = current().get_one(Payee, charge.payee_id)
    request_receipt(charge.id, payee, charge.motorist_id, charge.amount_fen)
    fault_point("notice.after_receipt")
    enqueue(charge.on_paid, source_key=charge.source_key)
    fault_point("notice.after_job")
    return "paid"
