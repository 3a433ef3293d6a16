"""What is owed, ordered and paid. Always read fresh: another process may have moved a row."""

import uuid
from collections.abc import Sequence

from sqlalchemy import Select, select

from app.kernel.db import transaction
from app.kernel.money import Fen
from app.kernel.refusals import NotFound
from payments.charges.models import Charge, ExceptionCase, Order, OrderLine, Payment
from payments.ledger.models import Journal
from payments.ledger.queries import journals_of

PAID = frozenset({"paid", "fulfilled"})
"""States of a charge in which its source may go on: paid, or nothing was to pay."""


class NoSuchCharge(NotFound):
    """No such charge, or not this motorist's."""

    code = "no_such_charge"
    message = "未找到该笔费用"


def charge(key: uuid.UUID) -> Charge:
    """The charge by its public key. Refuses `NoSuchCharge`."""
    return _one(select(Charge).filter_by(key=key))


def own_charge(motorist_id: int, key: uuid.UUID) -> Charge:
    """The motorist's own charge. Refuses `NoSuchCharge`, also for another's."""
    return _one(select(Charge).filter_by(key=key, motorist_id=motorist_id))


def charge_of_source(source_kind: str, source_key: uuid.UUID) -> Charge | None:
    """The charge that was opened for this thing, if any."""
    with transaction() as session:
        found = select(Charge).filter_by(source_kind=source_kind, source_key=source_key)
        return session.scalar(found.execution_options(populate_existing=True))


def charges_of(motorist_id: int) -> Sequence[Charge]:
    """A motorist's charges, newest first."""
    with transaction() as session:
        own = select(Charge).filter_by(motorist_id=motorist_id).order_by(Charge.id.desc())
        return session.scalars(own.execution_options(populate_existing=True)).all()


def orders_of(charge_id: int) -> Sequence[Order]:
    """The WeChat orders that asked for a charge, alone or with others, oldest first."""
    with transaction() as session:
        asking = select(Order).join(OrderLine, OrderLine.order_id == Order.id)
        found = asking.where(OrderLine.charge_id == charge_id).order_by(Order.id)
        return session.scalars(found.execution_options(populate_existing=True)).all()


def is_ours(out_trade_no: str) -> bool:
    """Whether an order of ours, in whatever state, has this number at WeChat."""
    with transaction() as session:
        return session.scalar(select(select(Order).filter_by(out_trade_no=out_trade_no).exists())) is True


def lines_of_order(order_id: int) -> Sequence[OrderLine]:
    """The charges that an order asks for, by id; they never change."""
    with transaction() as session:
        return session.scalars(select(OrderLine).filter_by(order_id=order_id).order_by(OrderLine.charge_id)).all()


def payments_of(charge_id: int) -> Sequence[Payment]:
    """What WeChat received for a charge: one payment, and any surplus ones."""
    with transaction() as session:
        found = select(Payment).filter_by(charge_id=charge_id).order_by(Payment.id)
        return session.scalars(found.execution_options(populate_existing=True)).all()


def settling_payment(charge_id: int) -> Payment:
    """The payment that settled a charge; while the charge is locked, no more of it is promised back."""
    with transaction() as session:
        settling = select(Payment).filter_by(charge_id=charge_id, surplus=False)
        return session.scalars(settling.execution_options(populate_existing=True)).one()


def promised_back(charge_id: int) -> Fen:
    """How much of the payment that settled a charge is refunded or promised back."""
    return settling_payment(charge_id).refund_reserved_fen


def journals_of_charge(key: uuid.UUID) -> Sequence[Journal]:
    """Everything that the books say of one charge, oldest first."""
    with transaction():
        found = charge(key)
        references = [order_reference(each) for each in orders_of(found.id)]
        return journals_of(charge_reference(found), *references)


def open_cases() -> Sequence[ExceptionCase]:
    """What waits for a person, gravest and oldest first."""
    with transaction() as session:
        waiting = select(ExceptionCase).filter_by(state="open")
        return session.scalars(waiting.order_by(ExceptionCase.severity, ExceptionCase.id)).all()


def charge_reference(charge: Charge) -> str:
    """By which name the books know a charge."""
    return f"charge:{charge.key}"


def order_reference(order: Order) -> str:
    """By which name the books know an order's payment."""
    return f"order:{order.out_trade_no}"


def _one(wanted: Select[Charge]) -> Charge:
    with transaction() as session:
        found = session.scalar(wanted.execution_options(populate_existing=True))
        if found is None:
            raise NoSuchCharge
        return found
