"""Rows are locked in one order everywhere: charges by id, orders, a combined one, payment, the books."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select

from app.kernel.db import current
from payments.charges.models import Charge, CombinedOrder, Order, OrderLine
from payments.charges.queries import NoSuchCharge
from payments.charges.rules import OPEN_ORDER


@dataclass(frozen=True)
class Checkout:
    """What a motorist pays at WeChat in one go, locked: an order, or the sub-orders of a combined one (合单)."""

    charges: Sequence[Charge]
    orders: Sequence[Order]
    whole: CombinedOrder | None
    lines: Sequence[OrderLine]

    @property
    def root(self) -> Order | CombinedOrder:
        """The row under whose number WeChat is called, and that says when it is asked again."""
        return self.whole or self.orders[0]

    @property
    def still_open(self) -> list[Order]:
        """The orders that may yet be paid, as far as we know."""
        return [each for each in self.orders if each.state in OPEN_ORDER]

    def charges_of(self, order: Order) -> list[Charge]:
        """What one of the orders asks for."""
        asked = {line.charge_id for line in self.lines if line.order_id == order.id}
        return [each for each in self.charges if each.id in asked]


def lock_charge(key: uuid.UUID) -> Charge:
    """The charge, ours until the transaction ends. Refuses `NoSuchCharge`."""
    return lock_charges([key])[0]


def lock_charges(keys: Collection[uuid.UUID]) -> Sequence[Charge]:
    """The charges by id, ours until the transaction ends. Refuses `NoSuchCharge`, if only for one."""
    found = _locked_charges(Charge.key.in_(set(keys)))
    if len(found) != len(set(keys)):
        raise NoSuchCharge
    return found


def lock_checkout(order_id: int) -> Checkout:
    """An order with all that is paid together with it and, before them, what they ask for."""
    return _checkout(_lines(Order.id == order_id))


def lock_combined(combined_id: int) -> Checkout:
    """The same of a combined order."""
    return _checkout(_lines(Order.combined_id == combined_id))


def lock_checkout_by_number(out_trade_no: str) -> tuple[Checkout, Order] | None:
    """The order that WeChat names, with its checkout; none when the number is not ours."""
    lines = _lines(Order.out_trade_no == out_trade_no)
    if not lines:
        return None
    checkout = _checkout(lines)
    return checkout, next(each for each in checkout.orders if each.out_trade_no == out_trade_no)


def lock_open_order(charge: Charge) -> Order | None:
    """The one order that asks for a locked charge and could still be paid at WeChat."""
    asking = select(OrderLine.order_id).where(OrderLine.charge_id == charge.id, OrderLine.order_state.in_(OPEN_ORDER))
    found = select(Order).where(Order.id.in_(asking), Order.state.in_(OPEN_ORDER))
    return current().scalar(found.with_for_update())


def root_of(order: Order) -> Order | CombinedOrder:
    """The row that says when WeChat is asked about a locked order: its own, or the combined order's, locked now."""
    if order.combined_id is None:
        return order
    return current().scalars(select(CombinedOrder).filter_by(id=order.combined_id).with_for_update()).one()


Lines = Sequence[tuple[OrderLine, int | None]]


def _lines(of_orders: ColumnElement[bool]) -> Lines:
    """The lines of some orders, each with the combined order's id; they never change, and need no lock."""
    asked = select(OrderLine, Order.combined_id).join(Order, Order.id == OrderLine.order_id)
    return [(line, combined_id) for line, combined_id in current().execute(asked.where(of_orders))]


def _checkout(lines: Lines) -> Checkout:
    _, combined_id = lines[0]
    if combined_id is not None:
        lines = _lines(Order.combined_id == combined_id)
    charges = _locked_charges(Charge.id.in_({line.charge_id for line, _ in lines}))
    wanted = select(Order).where(Order.id.in_({line.order_id for line, _ in lines})).order_by(Order.id)
    orders = current().scalars(wanted.with_for_update()).all()
    whole = root_of(orders[0])
    return Checkout(charges, orders, whole if isinstance(whole, CombinedOrder) else None, [line for line, _ in lines])


def _locked_charges(wanted: ColumnElement[bool]) -> Sequence[Charge]:
    return current().scalars(select(Charge).where(wanted).order_by(Charge.id).with_for_update()).all()
