"""Suspending a lot and opening it again; cars that are inside are always let out."""

import uuid

from app.domain.lots.actions.approve import lawful
from app.domain.lots.actions.steps import lock_lot, said, take_step
from app.domain.lots.actions.windows import write_windows
from app.domain.lots.models import Lot
from app.domain.lots.queries.places import place_of
from app.domain.lots.rules import LOT
from app.domain.lots.rules.shortfalls import Shortfall
from app.domain.staff.rules import Actor, permit
from app.kernel.db import transaction


def suspend(by: Actor, lot_key: uuid.UUID, why: str) -> Lot:
    """Take an open lot out of reach for a while, with a reason; it is shown as suspended.

    Refuses `NotFound`, `WrongState`, `ReasonMissing`.
    """
    with transaction():
        lot = lock_lot(lot_key)
        permit(by, "lots.suspend", place_of(lot.id))
        take_step(lot, "suspend", by, said(why))
        return lot


def reopen(by: Actor, lot_key: uuid.UUID, why: str) -> list[Shortfall]:
    """Open a suspended lot again; returns what falls short without keeping it from the public.

    Refuses `NotFound`, `WrongState`, `ReasonMissing`, `LotFallsShort`.
    """
    with transaction():
        lot = lock_lot(lot_key)
        permit(by, "lots.reopen", place_of(lot.id))
        found = lawful(lot) if LOT.may(lot.state, "reopen") else []
        take_step(lot, "reopen", by, said(why))
        write_windows(lot.id)
        return found
