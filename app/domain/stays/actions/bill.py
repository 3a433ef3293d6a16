"""A motorist pays; a car that leaves closes its account."""

import uuid
from collections.abc import Callable, Collection
from datetime import datetime

from app.domain.arrears.queries import own_arrears
from app.domain.lots.queries import PayeeMissing, place_of
from app.domain.pricing.queries import TariffMissing
from app.domain.pricing.rules import NoPrice
from app.domain.stays.actions.account import bill_for, close_standing, complete, due_now, locked, owed_by_nobody
from app.domain.stays.models import Stay
from app.domain.stays.queries import Due, in_locking_order, one_for
from app.domain.stays.rules import STAY
from app.domain.tasks.actions import open_task
from app.kernel.db import savepoint, transaction
from app.kernel.refusals import Conflict
from payments.payees.queries import PayeeNotConfirmed

UNBILLABLE = (TariffMissing, NoPrice, PayeeMissing, PayeeNotConfirmed)
"""What the office must mend before this stay can be billed; the car is not to blame."""


class NothingToPay(Conflict):
    """The stay costs nothing up to now, or everything is paid."""

    code = "nothing_to_pay"
    message = "当前无需缴费"


def open_payment(motorist_id: int, stay_key: uuid.UUID) -> uuid.UUID:
    """The key of the charge that settles what this stay owes now; the same again while the sum is the same.

    Refuses `StayNotFound`, `NothingToPay`, `TariffMissing`, `NoPrice`, `PayeeMissing`, `PayeeNotConfirmed`.
    """
    with transaction():
        stay = locked(one_for(motorist_id, stay_key).stay.id)
        if due_now(stay).due_fen == 0:
            raise NothingToPay
        charge_key = bill_for(stay).charge_key
        assert charge_key is not None
        return charge_key


def open_payments(motorist_id: int, stay_keys: Collection[uuid.UUID] | None = None) -> list[uuid.UUID]:
    """The keys of the charges that settle what is owed for stays that have ended: the named ones, or all.

    What is being looked into and therefore not pursued is paid only when it is named. Refuses as `open_payment`, and
    `NothingToPay` for a stay that owes nothing.
    """
    with transaction():
        owed = {each.stay_key: each.is_paused for each in own_arrears(motorist_id)}
        wanted = [key for key, is_paused in owed.items() if not is_paused] if stay_keys is None else set(stay_keys)
        if not wanted or not owed.keys() >= set(wanted):
            raise NothingToPay
        return [open_payment(motorist_id, key) for key in in_locking_order(wanted)]


def close_account(stay: Stay, exit_event_id: int, exited_at: datetime) -> None:
    """The car is gone: settled when nothing is owed, else owing. Where no bill can be made, a person must act."""
    due = _due_or_task(stay, exited_at)
    settled = due is not None and due.due_fen == 0
    event = "leave_paid" if settled else "leave"
    STAY.move(stay, event, "gate", exit_event_id=exit_event_id, exited_at=exited_at)
    if due is not None:
        _close(stay, due)


def _due_or_task(stay: Stay, at: datetime) -> Due | None:
    try:
        return due_now(stay, at)
    except UNBILLABLE as missing:
        open_task("stay_unbillable", "stay", stay.id, {"code": missing.code}, place=place_of(stay.lot_id))
        return None


def _close(stay: Stay, due: Due) -> None:
    if due.due_fen == 0:
        close_standing(stay)
        complete(stay)
    if due.due_fen and stay.motorist_id is None:
        _or_task(stay, lambda: owed_by_nobody(stay, due))
    elif due.due_fen or due.paid_fen == 0:
        # a stay that cost nothing is billed 0 fen, so that it is on record
        _or_task(stay, lambda: bill_for(stay, stay.exited_at))


def _or_task(stay: Stay, ask: Callable[[], object]) -> None:
    try:
        with savepoint():
            ask()
    except UNBILLABLE as missing:
        open_task("stay_unbillable", "stay", stay.id, {"code": missing.code}, place=place_of(stay.lot_id))
