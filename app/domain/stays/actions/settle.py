"""A bill was paid: the stay may be settled, and a car that waits at the exit may go."""

import uuid
from datetime import timedelta

from sqlalchemy import select

from app.domain.gates.actions import issue
from app.domain.stays.actions.account import bill_for, close_standing, complete, due_now, locked
from app.domain.stays.models import Bill, Stay
from app.domain.stays.queries import paid_and_unnoticed, waiting_at_exit
from app.domain.stays.rules import STAY
from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.rounds import each_alone

WAITS_AT_MOST = timedelta(minutes=30)
"""A car that was told to pay, and after which nobody came to that gate, is believed to stand there so long."""


def settle(source_key: uuid.UUID) -> None:
    """Note that the bill with this key is paid, and what follows from it. Twice changes nothing."""
    with transaction() as session:
        stay_id = session.scalar(select(Bill.stay_id).where(Bill.key == source_key))
        if stay_id is not None:
            _follow_up(locked(stay_id))


def earn_the_rest(bill_key: uuid.UUID) -> None:
    """A part of what a settled stay paid goes back: the rest becomes the payee's, if it waited for that."""
    with transaction() as session:
        stay_id = session.scalars(select(Bill.stay_id).where(Bill.key == bill_key)).one()
        stay = locked(stay_id)
        if stay.state == "settled":
            complete(stay)


def settle_forgotten(limit: int = 100) -> int:
    """Settle what was paid and whose job was lost; returns how many bills were due."""
    return each_alone(paid_and_unnoticed(limit), settle)


def _follow_up(stay: Stay) -> None:
    due = due_now(stay)
    if due.due_fen > 0:
        if stay.state == "owing" and stay.motorist_id is not None:
            bill_for(stay)
        return
    close_standing(stay)
    if stay.state == "parked":
        _let_out(stay)
        return
    if stay.state == "owing":
        STAY.move(stay, "settle", "payment")
    complete(stay)


def _let_out(stay: Stay) -> None:
    device_id = waiting_at_exit(stay, clock.now() - WAITS_AT_MOST)
    if device_id is not None:
        issue(device_id, "open", {}, f"stay:{stay.id}")
