"""Submitting a lot: the unit says that all is told and asks for approval."""

import uuid

from app.domain.lots.actions.steps import lock_lot, take_step
from app.domain.lots.models import Lot
from app.domain.lots.queries.places import place_of
from app.domain.staff.rules import Actor, permit
from app.kernel.db import transaction


def submit(by: Actor, lot_key: uuid.UUID, why: str = "") -> Lot:
    """Submit a draft; submitted twice, the second is refused and nothing happens.

    What falls short is told by `queries.standing.shortfalls_of`, and may still be put right before publication.
    Refuses `NotFound`, `WrongState`.
    """
    with transaction():
        lot = lock_lot(lot_key)
        permit(by, "lots.submit", place_of(lot.id))
        take_step(lot, "submit", by, why.strip(), submitted_by=by.account_id, approved_by=None)
        return lot
