"""A unit works at other hours (N2.2.1): the windows of its lots follow at once."""

import uuid
from datetime import time

from sqlalchemy import select

from app.domain.lots.actions.windows import keep_promises, rewrite_windows
from app.domain.lots.models import Lot
from app.domain.staff.rules import Actor
from app.domain.units import actions as units
from app.domain.units.models import RegisterChange
from app.kernel.db import transaction


def change_office_hours(by: Actor, unit_key: uuid.UUID, begins: time, ends: time, reason: str) -> RegisterChange:
    """Change a unit's office hours and write the windows of its lots anew.

    Refuses what `units.actions.change_office_hours` refuses, where permission is asked, and `PromisesStand` when
    reservations lie in spans that would no longer be open.
    """
    with transaction() as session:
        change = units.change_office_hours(by, unit_key, begins, ends, reason)
        taking = Lot.state.in_(("open", "suspended"))
        rewrite_windows(session.scalars(select(Lot.id).where(Lot.unit_id == change.unit_id, taking)).all())
        keep_promises()
        return change
