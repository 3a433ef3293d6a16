"""Money that nobody owes goes back whole, without anybody asking: paid twice, or after the charge was withdrawn."""

import uuid

from app.kernel.db import transaction
from app.kernel.rounds import each_alone
from payments.charges.models import Charge
from payments.charges.rules import CHARGE
from payments.refunds.actions.ask import Wish, promise
from payments.refunds.actions.locks import lock_payment
from payments.refunds.queries import to_be_given_back
from payments.refunds.rules import PLATFORM


def give_back_due(*, on_moved: str, limit: int = 50) -> int:
    """Ask for the refund of up to `limit` payments that are nobody's debt; returns how many were asked for.

    One whose refund WeChat closed is due again, under a new number. Several may run at once.
    """
    return each_alone(to_be_given_back(limit), lambda key: _give_back(key, on_moved))


def _give_back(payment_key: uuid.UUID, on_moved: str) -> bool:
    with transaction():
        charge, payment = lock_payment(payment_key)
        if payment.refund_reserved_fen or not (payment.surplus or charge.state in {"paid_late", "refund_full"}):
            return False
        reason = "paid_twice" if payment.surplus else _no_longer_owed(charge)
        promise(charge, payment, Wish(payment.paid_fen, reason, None, PLATFORM, 0, on_moved))
        return True


def _no_longer_owed(charge: Charge) -> str:
    if charge.state == "paid_late":
        CHARGE.move(charge, "refund", PLATFORM)
    return "paid_late"
