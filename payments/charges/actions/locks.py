"""Rows are locked in one order everywhere: charges by id, orders, a combined one, payment, the books."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, Select, bindparam, func, select, union

from app.kernel.db import current
from app.kernel.prepared import Prepared, Whole
from payments.charges.models import Charge, CombinedOrder, Order, OrderLine
from payments.charges.queries import NoSuchCharge
from payments.charges.rules import OPEN_ORDER


@dataclass(frozen=True)
class Checkout:
    """What a motorist pays at WeChat in one go, locked: an order, or the sub-orders of a combined one (合单)."""

    charges: Sequence[Charge]
    orders: Sequence[Order]
    whole: CombinedOrder | None
    asked: frozenset[tuple[int, int]]
    """The id of an order and that of a charge for which it asks, for each line."""

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
        return [each for each in self.charges if (order.id, each.id) in self.asked]


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
    current().flush()
    return _checkout(_OF_ORDER.all(wanted=order_id))


def lock_combined(combined_id: int) -> Checkout:
    """The same of a combined order."""
    current().flush()
    return _checkout(_OF_COMBINED.all(wanted=combined_id))


def lock_checkout_by_number(out_trade_no: str) -> tuple[Checkout, Order] | None:
    """The order that WeChat names, with its checkout; none when the number is not ours."""
    current().flush()
    lines = _BY_NUMBER.all(wanted=out_trade_no)
    return named_in(lines, out_trade_no) if lines else None


def named_in(lines: Sequence[Any], out_trade_no: str) -> tuple[Checkout, Order]:
    """The checkout that was locked by `locking`, and its order of that number."""
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


def _checkout(lines: Sequence[Any]) -> Checkout:
    """What was locked by one of the statements of `locking`."""
    charges, orders = _CHARGE.of(lines), _ORDER.of(lines)
    whole = root_of(orders[0])
    asked = frozenset((line.order_id, line.charge_id) for line in lines)
    return Checkout(charges, orders, whole if isinstance(whole, CombinedOrder) else None, asked)


def _locked_charges(wanted: ColumnElement[bool]) -> Sequence[Charge]:
    return current().scalars(select(Charge).where(wanted).order_by(Charge.id).with_for_update()).all()


def locking(wanted: ColumnElement[bool]) -> tuple[Select[*tuple[Any, ...]], FromClause]:
    """The question that locks a checkout: a row for each line, with its charge and its order; and where that order is.

    Lines never change and need no lock. The locked charges are counted before any order is read: so they come first.
    """
    named = select(Order.id, Order.combined_id).where(wanted).cte("named")
    beside = select(Order.id).join(named, Order.combined_id == named.c.combined_id)
    of_orders = OrderLine.order_id.in_(union(select(named.c.id), beside))
    line = select(OrderLine.order_id, OrderLine.charge_id).where(of_orders).cte("line")
    debts = select(*_CHARGE.columns).where(Charge.id.in_(select(line.c.charge_id))).order_by(Charge.id)
    debt = debts.with_for_update().cte("debt")
    are_locked = select(func.count()).select_from(debt).scalar_subquery() > 0
    orders = select(*_ORDER.columns).where(Order.id.in_(select(line.c.order_id)), are_locked).order_by(Order.id)
    order = orders.with_for_update().cte("checkout")
    lines = line.join(debt, _CHARGE.id_in(debt) == line.c.charge_id).join(order, _ORDER.id_in(order) == line.c.order_id)
    return select(line, debt, order).select_from(lines), order


_CHARGE: Final = Whole(Charge, "its_charge")
_ORDER: Final = Whole(Order, "its_order")
_OF_ORDER: Final = Prepared(locking(Order.id == bindparam("wanted"))[0])
_OF_COMBINED: Final = Prepared(locking(Order.combined_id == bindparam("wanted"))[0])
_BY_NUMBER: Final = Prepared(locking(Order.out_trade_no == bindparam("wanted"))[0])
