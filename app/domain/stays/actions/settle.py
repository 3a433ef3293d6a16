"""A bill was paid: the stay may be settled, and a car that waits at the exit may go."""

import uuid
from datetime import timedelta

from sqlalchemy import select

from app.domain.gates.actions import issue
from app.domain.stays.actions.bill import complete
from app.domain.stays.models import Bill, Stay
from app.domain.stays.queries import due_of, waiting_at_exit
from app.domain.stays.rules import STAY
from app.kernel import clock
from app.kernel.db import current, transaction
from payments.charges.queries import charge

WAITS_AT_MOST = timedelta(minutes=3)
"""A car that was told to pay longer ago than this is no longer believed to stand at the gate."""


def settle(source_key: uuid.UUID) -> None:
    """Note that the bill with this key is paid, and what follows from it. Twice changes nothing."""
    with transaction() as session:
        stay_id = session.scalar(select(Bill.stay_id).where(Bill.key == source_key))
        if stay_id is None:
            return
        stay = session.scalars(select(Stay).where(Stay.id == stay_id).with_for_update()).one()
        bill = session.scalars(select(Bill).where(Bill.key == source_key)).one()
        if bill.paid_at is None and _is_paid(bill):
            bill.paid_at = clock.now()
            session.flush()
            _follow_up(stay)


def _is_paid(bill: Bill) -> bool:
    assert bill.charge_key is not None
    return charge(bill.charge_key).state in {"paid", "fulfilled"}


def _follow_up(stay: Stay) -> None:
    if due_of(stay).due_fen > 0:
        return
    if stay.state == "owing":
        STAY.move(stay, "settle", "payment")
        complete(stay)
    elif stay.state == "parked":
        _let_out(stay)
    else:
        complete(stay)


def _let_out(stay: Stay) -> None:
    device_id = waiting_at_exit(stay, clock.now() - WAITS_AT_MOST)
    if device_id is not None:
        issue(device_id, "open", {}, f"stay:{stay.id}")
    current().flush()
