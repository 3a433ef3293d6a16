"""A motorist has their account erased, and what is old is forgotten unasked (个人信息保护法 第十九条、第四十七条)."""

from datetime import datetime, timedelta
from typing import Final

from app.domain.conduct.actions import carry_on
from app.domain.erasure.queries import is_needed, refuse_unfinished, strangers_gone
from app.domain.gates.actions import forget_cars
from app.domain.messages.actions import silence
from app.domain.motorists import actions as motorists
from app.domain.motorists.queries import openid_of
from app.domain.policies.queries import numbers
from app.domain.receipts.actions import drop_mails
from app.kernel import audit, clock
from app.kernel.db import transaction
from app.kernel.idempotency import forget_answers_to
from payments.receipts.actions import empty_titles
from payments.shipping.actions import forget_payers

KEPT_FOR_REFUNDS: Final = timedelta(days=365)
"""So long WeChat takes refunds of a payment: constraints say so, and a smaller number of the city's counts as this."""
KEPT_FOR_DISPUTES: Final = timedelta(days=90)
"""Likewise of what gates told."""
AT_ONCE: Final = 200
MOST_ROUNDS: Final = 5
"""The sweepers' other work waits meanwhile."""


def erase(motorist_id: int) -> None:
    """Forget who a motorist is: openid, phone, plates, titles, addresses, sign-ins; nothing more is sent to them.

    Payments, receipts as they were issued, journals and the audit log stay under a number that names nobody. What stops
    reservations is met again by whoever signs in with the same openid before it ends. Refuses `AccountErased`, and as
    `refuse_unfinished` does.
    """
    with transaction():
        motorist, label = motorists.lock_for_erasure(motorist_id), f"motorist:{motorist_id}"
        drop_mails(motorist_id, label)  # before it is asked what is under way: what is not dropped is being sent
        refuse_unfinished(motorist_id)
        carry_on(motorist, openid_of(motorist_id))
        silence(motorist_id, label)
        empty_titles(motorist_id)
        forget_answers_to(label)
        _forget_plates(motorist_id)
        motorists.erase_identity(motorist)
        audit.record("motorists.erase", "motorist", motorist_id, label)


def _forget_plates(motorist_id: int) -> None:
    for plate_id in motorists.own_plates(motorist_id):
        if is_needed(plate_id):
            motorists.leave_plate(motorist_id, plate_id)
        else:
            motorists.erase_plate(plate_id)


def forget_what_is_old() -> int:
    """Forget, in rows that stay, who paid, what gates read and told of cars, and plates of cars on no account.

    Each after its days (`forget_payers_days`, `forget_cars_days`). Some hundred rows are a transaction, and there are
    `MOST_ROUNDS` at most: the rest waits for the next time. Outside any transaction. Returns how many rows forgot.
    """
    with transaction():
        days, now = numbers(), clock.now()
    payers = now - max(timedelta(days=days["forget_payers_days"]), KEPT_FOR_REFUNDS)
    cars = now - max(timedelta(days=days["forget_cars_days"]), KEPT_FOR_DISPUTES)
    forgotten = 0
    for _ in range(MOST_ROUNDS):
        rows = forget_payers(payers, AT_ONCE) + _forget_cars(cars)
        if not rows:
            break
        forgotten += rows
    return forgotten


def _forget_cars(before: datetime) -> int:
    """With the last that gates told of a stranger's car goes its plate; a plate on an account goes with the account.

    Only plates that look as if they may go are locked, for cars of the others stand at gates; then it is asked again.
    """
    with transaction():
        told = forget_cars(before, AT_ONCE)
        locked = motorists.lock_plates(strangers_gone(told.plates, before))
        for plate_id in strangers_gone(locked, before):
            motorists.erase_plate(plate_id)
            audit.record("motorists.forget_plate", "plate", plate_id, "platform")
        return told.rows
