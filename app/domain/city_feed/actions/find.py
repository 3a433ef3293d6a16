"""What has happened that the city has not heard of: found by looking, so that no lower room need know of the city.

Looking again finds nothing new. Whoever looks holds the line's row, so that two never make the same upload.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, not_, or_, select
from sqlalchemy.dialects.postgresql import insert

from app.adapters.city import LotDescription
from app.domain.city_feed.actions.line import locked_line
from app.domain.city_feed.models import CityLot, CityUpload, CityVisit
from app.domain.city_feed.queries import MAY_BE_TOLD, descriptions, lane_of
from app.domain.city_feed.rules import UPLOAD, digest, lane_number, visit_uid
from app.domain.lots.models import Lot
from app.domain.lots.queries import IS_PUBLIC
from app.domain.stays.models import Stay
from app.kernel import clock
from app.kernel.db import current, transaction

LOOK_BACK: Final = 10_000
"""So many stays behind the newest known one are looked at again: a number is given before its row can be seen."""
MILLISECOND: Final = timedelta(milliseconds=1)


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
    _make_due("lot", lot_id, None)
    return True


def _make_due(kind: str, lot_id: int, stay_id: int | None) -> None:
    now = clock.now()
    upload = CityUpload(kind=kind, lot_id=lot_id, stay_id=stay_id, state="due", made_at=now, next_check_at=now)
    current().add(upload)
    UPLOAD.born(upload, "feed")


def find_visits(limit: int = 500) -> int:
    """Make an upload for each entry and each exit the city has not heard of, as they happened; returns how many.

    Of lots that the city is told of, and of visits that were not over before the feed began.
    """
    with transaction():
        line = locked_line()
        news = sorted(_entries(line.began_at, limit) + _exits(limit))
        for _, kind, lot_id, stay_id in news:
            _make_due(kind, lot_id, stay_id)
        return len(news)


News = tuple[datetime, str, int, int]
"""When, what, in which lot, in which stay; of one moment, `entry` sorts before `exit`."""


def _entries(since: datetime, limit: int) -> list[News]:
    session = current()
    newest = session.scalar(select(func.max(CityVisit.stay_id))) or 0
    known = select(CityVisit.stay_id).where(CityVisit.stay_id == Stay.id)
    rows = session.execute(
        select(Stay, CityLot)
        .join(CityLot, CityLot.lot_id == Stay.lot_id)
        .join(Lot, Lot.id == Stay.lot_id)
        .where(
            Stay.id > newest - LOOK_BACK, not_(known.exists()), MAY_BE_TOLD,
            or_(Stay.exited_at.is_(None), Stay.exited_at >= since),
        )
        .order_by(Stay.id)
        .limit(limit)
    ).all()  # fmt: skip
    for stay, lot in rows:
        _number(stay, lot.parking_code)
    return [(stay.entered_at, "entry", stay.lot_id, stay.id) for stay, _ in rows]


def _number(stay: Stay, code: str) -> None:
    """Give the visit its number for ever; two cars of the same lane and millisecond are told apart by the next one."""
    entry_number, moment = lane_number(*lane_of(stay.entry_event_id)), stay.entered_at
    while not _take_number(stay, entry_number, visit_uid(code, entry_number, moment)):
        moment += MILLISECOND


def _take_number(stay: Stay, entry_number: str, uid: str) -> bool:
    row = insert(CityVisit).values(stay_id=stay.id, lot_id=stay.lot_id, entry_number=entry_number, uid=uid)
    free = row.on_conflict_do_nothing(constraint="a_visit_number_is_given_once").returning(CityVisit.stay_id)
    return current().scalar(free) is not None


def _exits(limit: int) -> list[News]:
    rows = current().execute(
        select(CityVisit, Stay.exited_at)
        .join(Stay, Stay.id == CityVisit.stay_id)
        .where(not_(CityVisit.has_ended), Stay.exited_at.is_not(None))
        .order_by(Stay.exited_at, Stay.id)
        .limit(limit)
    ).all()  # fmt: skip
    for visit, _ in rows:
        visit.has_ended = True
    return [(exited_at, "exit", visit.lot_id, visit.stay_id) for visit, exited_at in rows if exited_at is not None]
