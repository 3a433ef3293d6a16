"""Promises that nobody kept."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import and_, false, func, select

from app.domain.claims.models import BayClaim
from app.domain.claims.queries import missed
from app.domain.gates.queries import told_until
from app.domain.lots.models import Bay
from app.kernel import clock
from app.kernel.db import transaction


def missed_promises(margin: timedelta, limit: int) -> Sequence[int]:
    """Ids of claims whose car did not come in time, the longest late first, and of stale holds.

    Those of lots with a gate that is silent wait for it until their span is over: the car may have come.
    """
    with transaction() as session:
        now = clock.now()
        waits = and_(told_until(Bay.lot_id) < BayClaim.admit_until, func.upper(BayClaim.during) > now)
        due = select(BayClaim.id).join(Bay, Bay.id == BayClaim.bay_id).where(missed(now, margin))
        due = due.where(~func.coalesce(waits, false())).order_by(BayClaim.admit_until).limit(limit)
        return session.scalars(due).all()
