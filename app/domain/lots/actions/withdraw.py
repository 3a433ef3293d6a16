"""Withdrawing a lot for good; no promise is left behind, and cars that are inside are let out."""

import uuid

from app.domain.lots.actions.steps import lock_lot, said, take_step
from app.domain.lots.actions.windows import keep_promises, write_windows
from app.domain.lots.models import Lot
from app.domain.lots.queries.places import place_of
from app.domain.staff.rules import Actor, permit
from app.kernel.db import transaction


def withdraw(by: Actor, lot_key: uuid.UUID, why: str) -> Lot:
    """End a lot's life with a reason; its windows end now.

    Refuses `NotFound`, `WrongState`, `ReasonMissing`, and `PromisesStand` while somebody has a reservation there.
    """
    with transaction():
        lot = lock_lot(lot_key)
        permit(by, "lots.withdraw", place_of(lot.id))
        take_step(lot, "withdraw", by, said(why))
        write_windows(lot.id)
        keep_promises()
        return lot
