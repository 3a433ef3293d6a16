"""Rows are locked in one order everywhere: charge, then order, then payment, then the books."""

import uuid

from sqlalchemy import Select, select

from app.kernel.db import current
from payments.charges.models import Charge, Order
from payments.charges.queries import NoSuchCharge
from payments.charges.rules import OPEN_ORDER


def lock_charge(key: uuid.UUID) -> Charge:
    """The charge, ours until the transaction ends. Refuses `NoSuchCharge`."""
    found = current().scalar(_locked(select(Charge).filter_by(key=key)))
    if found is None:
        raise NoSuchCharge
    return found


def lock_order(order_id: int) -> tuple[Charge, Order]:
    """An order and, before it, its charge."""
    return _charge_then_order(select(Order.charge_id, Order.id).where(Order.id == order_id))


def lock_order_by_number(out_trade_no: str) -> tuple[Charge, Order] | None:
    """The order that WeChat names and, before it, its charge; none when the number is not ours."""
    ids = select(Order.charge_id, Order.id).where(Order.out_trade_no == out_trade_no)
    return _charge_then_order(ids) if current().execute(ids).first() else None


def lock_open_order(charge: Charge) -> Order | None:
    """The one order of a locked charge that could still be paid at WeChat."""
    still_open = select(Order).where(Order.charge_id == charge.id, Order.state.in_(OPEN_ORDER))
    return current().scalar(_locked_order(still_open))


def _charge_then_order(ids: Select[int, int]) -> tuple[Charge, Order]:
    charge_id, order_id = current().execute(ids).one()
    charge = current().scalars(_locked(select(Charge).where(Charge.id == charge_id))).one()
    order = current().scalars(_locked_order(select(Order).where(Order.id == order_id))).one()
    return charge, order


def _locked(wanted: Select[Charge]) -> Select[Charge]:
    return wanted.with_for_update().execution_options(populate_existing=True)


def _locked_order(wanted: Select[Order]) -> Select[Order]:
    return wanted.with_for_update().execution_options(populate_existing=True)
