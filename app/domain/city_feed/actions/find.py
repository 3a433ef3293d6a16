"""Lots that the city does not know as they are: found by looking, so that no lower room need know of the city.

Looking again finds nothing new. Whoever looks holds the line's row, so that two never make the same upload.
"""

from collections.abc import Sequence

from sqlalchemy import or_, select

from app.adapters.city import LotDescription
from app.domain.city_feed.actions.line import locked_line
from app.domain.city_feed.models import CityLot, CityUpload
from app.domain.city_feed.queries import MAY_BE_TOLD, descriptions
from app.domain.city_feed.rules import UPLOAD, digest
from app.domain.lots.models import Lot
from app.domain.lots.queries import IS_PUBLIC
from app.kernel import clock
from app.kernel.db import current, transaction


def find_lots(batch: int = 500) -> int:
    """Make an upload for each lot that is new to the city or no longer what it was told; returns how many."""
    made, after = 0, 0
    while (found := _found(after, batch)) is not None:
        after, count = found
        made += count
    return made


def _found(after: int, batch: int) -> tuple[int, int] | None:
    """The last lot looked at and how many had changed; None when there are no more."""
    with transaction() as session:
        locked_line()
        known = select(CityLot.lot_id).where(CityLot.lot_id == Lot.id).exists()
        ids = session.scalars(
            select(Lot.id).where(Lot.id > after, or_(IS_PUBLIC, known), MAY_BE_TOLD).order_by(Lot.id).limit(batch)
        ).all()
        return (ids[-1], _announce_changed(ids)) if ids else None


def _announce_changed(lot_ids: Sequence[int]) -> int:
    told = {lot.lot_id: lot for lot in current().scalars(select(CityLot).where(CityLot.lot_id.in_(lot_ids)))}
    descriptions_now = descriptions(lot_ids, clock.now())
    return sum(_announce(lot_id, told.get(lot_id), now) for lot_id, now in sorted(descriptions_now.items()))


def _announce(lot_id: int, known: CityLot | None, description: LotDescription) -> bool:
    said = digest(description.wire())
    if known is None:
        current().add(CityLot(lot_id=lot_id, parking_code=description.parking_code, description=said))
        current().flush()
    elif known.description == said:
        return False
    else:
        known.description = said
    return _make_description_due(lot_id)


def _make_description_due(lot_id: int) -> bool:
    """One that is due already says what holds when it is sent."""
    waiting = select(CityUpload.id).filter_by(lot_id=lot_id, kind="lot", state="due")
    if current().scalar(waiting) is not None:
        return False
    make_due("lot", lot_id, None)
    return True


def make_due(kind: str, lot_id: int, visit_id: int | None) -> None:
    """One more thing to tell; within a transaction that holds the line's row."""
    now = clock.now()
    upload = CityUpload(kind=kind, lot_id=lot_id, visit_id=visit_id, state="due", made_at=now, next_check_at=now)
    current().add(upload)
    UPLOAD.born(upload, "feed")
