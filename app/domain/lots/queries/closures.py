"""Whether a lot is shut by an adjustment, what is announced about it, and bays that one could take from the public."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, or_, select

from app.domain.lots.models import Bay, LotAnnouncement, LotClosure
from app.kernel.db import transaction


def is_closed(lot_id: int, at: datetime) -> bool:
    """Whether an adjustment shuts the whole lot at a moment, its windows written anew or not."""
    with transaction() as session:
        return session.scalar(closure_at(lot_id, at).limit(1)) is not None


def closure_at(lot_id: int | ColumnElement[int], at: datetime | ColumnElement[datetime]) -> Select[int]:
    """The ids of the adjustments that shut a whole lot at a moment."""
    return select(LotClosure.id).where(LotClosure.lot_id == lot_id, LotClosure.during.contains(at))


def shared_bays(lot_id: int, numbers: Sequence[str]) -> Sequence[int]:
    """Ids of the shared bays of a lot that have these numbers."""
    with transaction() as session:
        return session.scalars(
            select(Bay.id).where(Bay.lot_id == lot_id, Bay.shared, Bay.number.in_(numbers)).order_by(Bay.id)
        ).all()


def announced(at: datetime) -> ColumnElement[bool]:
    """Whether an announcement speaks of a moment or a later one."""
    return or_(func.upper_inf(LotAnnouncement.during), func.upper(LotAnnouncement.during) > at)


def announcements(lot_ids: Sequence[int], at: datetime) -> Mapping[int, list[LotAnnouncement]]:
    """For each lot what is announced for a moment or later, the earliest first."""
    found: dict[int, list[LotAnnouncement]] = {lot_id: [] for lot_id in lot_ids}
    asked = select(LotAnnouncement).where(LotAnnouncement.lot_id.in_(lot_ids), announced(at))
    with transaction() as session:
        for row in session.scalars(asked.order_by(func.lower(LotAnnouncement.during), LotAnnouncement.id)):
            found[row.lot_id].append(row)
    return found
