"""A payment that WeChat vouches for becomes ours: the one path for notices and queries alike, an order at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import Table, bindparam, func, insert, select

from app.kernel import audit, clock
from app.kernel.crypto import unseal
from app.kernel.db import current
from app.kernel.faults import fault_point
from app.kernel.ids import new_key
from app.kernel.prepared import Prepared, told_together
from payments.charges.actions.cases import open_case
from payments.charges.actions.enter import PAY, Word, enter, word_of
from payments.charges.actions.inbox import NO_NOTICE, notice_told, remember
from payments.charges.actions.locks import Checkout, lock_open_order, locking, named_in, root_of
from payments.charges.models import Charge, Order, Payment
from payments.charges.queries import order_reference
from payments.charges.rules import CHARGE, OPEN_ORDER, Expected, discrepancies, outcome_of, severity_of
from payments.ledger.actions import journal_told, post
from payments.ledger.rules import Line, paid_lines, surplus_lines
from payments.payees.models import MerchantChannel, Payee
from payments.receipts.actions.request import receipt_told
from payments.wechat import Notice, Transaction

OF_PAYMENT: Final = "transaction"
Entry = tuple[str, str, int, datetime, Sequence[Line]]
"""What is posted: kind, reference, payee, when it happened, lines."""


def settle(paid: Transaction, cause: str, notice: Notice | None = None) -> str:
    """Record one successful payment in the running transaction and say what came of it.

    Moves money only when every field is our order's; whatever is authentic but wrong becomes a case in the
    same transaction. The same payment again changes nothing. A `notice` that tells of this payment and of no other is
    kept with it.
    """
    found = _found(paid)
    if isinstance(found, Ours):
        return _pay(found, word_of(paid, cause), notice)
    if notice is not None:
        remember(notice, OF_PAYMENT, found)
    return found


@dataclass(frozen=True)
class Ours:
    """An order that is to be paid, with what is paid together with it, and the regime of its payee."""

    checkout: Checkout
    order: Order
    regime: str


def _found(paid: Transaction) -> Ours | str:
    """The order, locked; or what else came of the payment."""
    current().flush()
    lines = _LOCK.all(wanted=paid.out_trade_no, transaction_id=paid.transaction_id)
    fault_point("notice.after_lock")
    if not lines:
        return _case("unknown_order", paid, 2)
    clock.brought(lines[0].locked_at)
    checkout, order = named_in(lines, paid.out_trade_no)
    around = _around(next(each for each in lines if each.order_id == order.id))
    wrong = discrepancies(_expected(order, around), paid)
    if wrong:
        return _case("payment_mismatch", paid, severity_of(wrong), order_id=order.id, fields=wrong)
    if around.pays_another or order.transaction_id not in (None, paid.transaction_id):
        return _case("transaction_mismatch", paid, 2, order_id=order.id)
    return "already_paid" if order.state == "paid" else Ours(checkout, order, around.regime)


@dataclass(frozen=True)
class Around:
    """What else must be known of an order that WeChat says is paid; `pays_another`: by what paid another one."""

    sp_mchid: str
    sub_mchid: str
    regime: str
    pays_another: bool


def expected_of(order: Order) -> Expected:
    """What WeChat must say of this order."""
    lines = _LOCK.all(wanted=order.out_trade_no, transaction_id=order.transaction_id)
    return _expected(order, _around(next(each for each in lines if each.order_id == order.id)))


def _around(line: Any) -> Around:
    return Around(line.sp_mchid, line.sub_mchid, line.regime, pays_another=line.pays_another)


def _expected(order: Order, around: Around) -> Expected:
    return Expected(
        sp_appid=order.sp_appid, sp_mchid=around.sp_mchid, sub_mchid=around.sub_mchid,
        out_trade_no=order.out_trade_no, total_fen=order.amount_fen,
        sp_openid=payer_of(order),
    )  # fmt: skip


def payer_of(order: Order) -> str | None:
    """The openid that an order was made for; none once it was forgotten."""
    return None if order.payer is None else unseal(order.payer, payer_place(order))


def payer_place(order: Order) -> str:
    """Where an order's openid is sealed to."""
    return f"payment_order.payer:{order.key}"


def _case(kind: str, paid: Transaction, severity: int, **detail: object) -> str:
    reference = f"{paid.out_trade_no}:{paid.transaction_id}:{','.join(map(str, _fields(detail)))}"
    open_case(kind, reference, severity, **detail)
    return kind


def _fields(detail: dict[str, object]) -> list[object]:
    fields = detail.get("fields")
    return fields if isinstance(fields, list) else []


def _pay(ours: Ours, word: Word, notice: Notice | None) -> str:
    order, was_open = ours.order, ours.order.state in OPEN_ORDER
    _ask_on(ours.checkout, order)
    charges = ours.checkout.charges_of(order)
    owed = [each for each in charges if CHARGE.may(each.state, PAY)]
    surplus = [each for each in charges if each not in owed]
    outcome = outcome_of([each.state for each in owed], is_paid_again=bool(surplus))
    entry, *rest = _journals(order, owed, surplus, word)
    kept = NO_NOTICE if notice is None else notice_told(notice, OF_PAYMENT, outcome)
    enter(order, owed, word, journal_told(*entry), receipt_told(ours.regime), kept)
    fault_point("notice.after_entry")
    for each in rest:
        post(*each)
    _record_surplus(order, surplus, word)
    if not was_open:
        _end_siblings(owed)
    return outcome


def _journals(order: Order, owed: Sequence[Charge], surplus: Sequence[Charge], word: Word) -> Sequence[Entry]:
    """What is owed is paid; what was paid before stands in 长款 until its refund is under way."""
    kinds = ("payment", paid_lines, owed), ("surplus", surplus_lines, surplus)
    return [
        (kind, order_reference(order), order.payee_id, word.paid_at, lines(sum(each.amount_fen for each in charges)))
        for kind, lines, charges in kinds if charges
    ]  # fmt: skip


def _ask_on(checkout: Checkout, order: Order) -> None:
    """Of a whole it is asked at once what became of the rest; of an order that stands alone nothing is left to ask."""
    if checkout.whole is not None:
        rest = [each for each in checkout.still_open if each is not order]
        checkout.whole.next_check_at = clock.now() if rest else None


def _record_surplus(order: Order, surplus: Sequence[Charge], word: Word) -> None:
    with told_together():
        for charge in surplus:
            _SURPLUS.tell(
                key=new_key(), order_id=order.id, charge_id=charge.id, channel_id=order.channel_id,
                payee_id=order.payee_id, transaction_id=word.transaction_id, paid_fen=charge.amount_fen,
                paid_at=word.paid_at, learned_at=clock.now(),
            )  # fmt: skip
            audit.record("charge.surplus", "charge", charge.id, order_reference(order))


def _end_siblings(charges: Sequence[Charge]) -> None:
    """Another order of the same charge must not be paid as well: the sweeper closes it at once.

    An open order has none: `a_charge_has_one_open_order`.
    """
    for charge in charges:
        sibling = lock_open_order(charge)
        if sibling is not None:
            root_of(sibling).next_check_at = clock.now()


def _with_what_is_around() -> Prepared:
    asked, order = locking(Order.out_trade_no == bindparam("wanted"))
    its_id, its_channel = order.c.its_order_id, order.c.its_order_channel_id
    another = select(Order.id).where(Order.transaction_id == bindparam("transaction_id"), Order.id != its_id)
    return Prepared(
        asked.join(MerchantChannel, MerchantChannel.id == its_channel)
        .join(Payee, Payee.id == MerchantChannel.payee_id)
        .add_columns(
            MerchantChannel.sp_mchid, MerchantChannel.sub_mchid, Payee.regime, another.exists().label("pays_another"),
            func.clock_timestamp().label("locked_at"),
        )
    )  # fmt: skip


_LOCK: Final = _with_what_is_around()
_NAMED: Final = (
    "key", "order_id", "charge_id", "channel_id", "payee_id", "transaction_id", "paid_fen", "paid_at", "learned_at",
)  # fmt: skip
_SURPLUS: Final = Prepared(
    insert(cast("Table", Payment.__table__))
    .values({name: bindparam(name) for name in _NAMED} | {"refund_reserved_fen": 0, "surplus": True})
    .inline()
)
