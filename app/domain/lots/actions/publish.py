"""Publishing an approved lot: from here on motorists see it."""

import uuid

from app.domain.lots.actions.approve import lawful
from app.domain.lots.actions.steps import lock_lot, take_step
from app.domain.lots.actions.windows import write_windows
from app.domain.lots.queries.places import place_of
from app.domain.lots.rules import LOT
from app.domain.lots.rules.shortfalls import Shortfall
from app.domain.staff.rules import Actor, permit
from app.kernel.db import transaction


def publish(by: Actor, lot_key: uuid.UUID, why: str = "") -> list[Shortfall]:
    """Open an approved lot and write its windows down; returns what falls short without keeping it from the public.

    Refuses `NotFound`, `WrongState`, `LotFallsShort`.
    """
    with transaction():
        lot = lock_lot(lot_key)
        permit(by, "lots.publish", place_of(lot.id))
        found = lawful(lot) if LOT.may(lot.state, "publish") else []
        take_step(lot, "publish", by, why.strip())
        write_windows(lot.id)
        return found
