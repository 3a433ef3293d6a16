"""What is no longer owed is withdrawn; an order that lies at WeChat is closed there first."""

import uuid

from app.kernel import audit, clock
from app.kernel.db import transaction
from app.kernel.refusals import Conflict
from payments.charges.actions.locks import lock_charge, lock_open_order, root_of
from payments.charges.models import Charge, Order
from payments.charges.rules import CHARGE, ORDER


class AlreadyPaid(Conflict):
    """The charge is paid."""

    code = "already_paid"
    message = "该笔费用已支付"


def withdraw(charge_key: uuid.UUID, cause: str) -> Charge:
    """Nobody owes this any more: closed at once, or closing until the sweeper has ended its order at WeChat.

    Makes no outside call. Withdrawing twice changes nothing; a payment that arrives nevertheless is honoured.
    Refuses `AlreadyPaid`.
    """
    with transaction():
        charge = lock_charge(charge_key)
        if charge.state == "created":
            _withdraw(charge, cause)
        if charge.state not in {"closing", "closed"}:
            raise AlreadyPaid
        return charge


def _withdraw(charge: Charge, cause: str) -> None:
    CHARGE.move(charge, "withdraw", cause)
    audit.record("charge.withdraw", "charge", charge.id, cause)
    order = lock_open_order(charge)
    if order is None:
        CHARGE.move(charge, "close", cause)
    else:
        _stop(order, cause)


def _stop(order: Order, cause: str) -> None:
    if order.state != "closing":
        ORDER.move(order, "stop", cause)
    root_of(order).next_check_at = clock.now()
