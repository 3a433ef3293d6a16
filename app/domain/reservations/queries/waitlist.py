"""Who waits for a bay, and who is asked next."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import aliased

from app.domain.arrears.queries import holds_back
from app.domain.claims.models import BayClaim
from app.domain.claims.queries import has_free_bay, is_open, stale
from app.domain.lots.models import Bay, Lot
from app.domain.lots.queries.places import within
from app.domain.motorists.models import NumberPlate, Vehicle
from app.domain.policies.queries import number_for
from app.domain.reservations.models import Reservation, WaitlistEntry
from app.domain.staff.rules import Actor, reach
from app.kernel import clock
from app.kernel.db import current, transaction
from app.kernel.refusals import NotFound
from app.kernel.spans import bounds


class WaitlistEntryNotFound(NotFound):
    """There is no such entry, or it is somebody else's."""

    code = "waitlist_entry_not_found"
    message = "未找到该候补"


@dataclass(frozen=True)
class WaitlistView:
    """An entry with what a motorist wants to see beside it.

    `ahead`: how many of those who joined before wait for some part of the same time. `bay` and `reservation_key`: what
    is kept, or was taken.
    """

    entry: WaitlistEntry
    lot: Lot
    vehicle: Vehicle
    plate: NumberPlate
    claim: BayClaim | None
    bay: Bay | None
    reservation_key: uuid.UUID | None
    ahead: int

    def state(self, now: datetime) -> str:
        """What is true though no sweeper has written it down: an offer ends by itself, or with its bay."""
        if self.entry.state != "offered" or self.claim is None:
            return self.entry.state
        return standing(self.claim, now)


def standing(offered: BayClaim, now: datetime) -> str:
    """Where somebody stands who was offered this bay and has not answered: offered, lapsed, or waiting again."""
    expires_at = offered.hold_expires_at
    if offered.state == "held" and expires_at is not None and now < expires_at:
        return "offered"
    return "waiting" if offered.state == "cancelled" else "lapsed"


def _views(motorist_id: int) -> Select[WaitlistEntry, Lot, Vehicle, NumberPlate, BayClaim, Bay, uuid.UUID, int]:
    earlier = aliased(WaitlistEntry)
    ahead = (
        select(func.count())
        .where(
            earlier.lot_id == WaitlistEntry.lot_id, earlier.state == "waiting",
            earlier.during.overlaps(WaitlistEntry.during),
            func.row(earlier.joined_at, earlier.id) < func.row(WaitlistEntry.joined_at, WaitlistEntry.id),
        )
        .correlate(WaitlistEntry)
        .scalar_subquery()
    )  # fmt: skip
    return (
        select(WaitlistEntry, Lot, Vehicle, NumberPlate, BayClaim, Bay, Reservation.key, ahead)
        .join(Lot, Lot.id == WaitlistEntry.lot_id)
        .join(Vehicle, Vehicle.id == WaitlistEntry.vehicle_id)
        .join(NumberPlate, NumberPlate.id == Vehicle.plate_id)
        .outerjoin(BayClaim, BayClaim.id == WaitlistEntry.offer_claim_id)
        .outerjoin(Bay, Bay.id == BayClaim.bay_id)
        .outerjoin(Reservation, Reservation.claim_id == BayClaim.id)
        .where(WaitlistEntry.motorist_id == motorist_id)
    )


def entry_for(motorist_id: int, key: uuid.UUID) -> WaitlistView:
    """One of this motorist's entries. Refuses `WaitlistEntryNotFound`."""
    with transaction() as session:
        row = session.execute(_views(motorist_id).where(WaitlistEntry.key == key)).one_or_none()
    if row is None:
        raise WaitlistEntryNotFound
    return WaitlistView(*row)


def entries_for(motorist_id: int, before_id: int | None, limit: int) -> Sequence[WaitlistView]:
    """A motorist's entries, newest first; `before_id` is the id of the last one already seen."""
    query = _views(motorist_id).order_by(WaitlistEntry.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(WaitlistEntry.id < before_id)
    with transaction() as session:
        return [WaitlistView(*row) for row in session.execute(query)]


def own_entry(motorist_id: int, key: uuid.UUID) -> WaitlistEntry:
    """One of this motorist's entries, locked. Refuses `WaitlistEntryNotFound`."""
    row = current().scalars(
        select(WaitlistEntry).filter_by(motorist_id=motorist_id, key=key).with_for_update()
    ).one_or_none()  # fmt: skip
    if row is None:
        raise WaitlistEntryNotFound
    return row


def open_entries(motorist_id: int) -> Sequence[WaitlistEntry]:
    """This motorist's entries that wait, or wait for his answer, locked."""
    return current().scalars(
        select(WaitlistEntry)
        .where(WaitlistEntry.motorist_id == motorist_id, WaitlistEntry.state.in_(("waiting", "offered")))
        .order_by(WaitlistEntry.id)
        .with_for_update()
    ).all()  # fmt: skip


def someone_waits(lot_id: int) -> bool:
    """Whether anybody waits for a bay of this lot."""
    waiting = select(WaitlistEntry.id).where(WaitlistEntry.lot_id == lot_id, WaitlistEntry.state == "waiting")
    with transaction() as session:
        return bool(session.scalar(select(waiting.exists())))


def _fits(now: datetime) -> ColumnElement[bool]:
    """Whether a bay could be offered for the entry of the outer query, whose lot is joined to it, at this moment."""
    ends_before = number_for("waitlist_ends_before_minutes", Lot.id, Lot.unit_id, now)
    return and_(
        WaitlistEntry.state == "waiting",
        Lot.state == "open",
        func.lower(WaitlistEntry.during) > now + ends_before * timedelta(minutes=1),
        has_free_bay(WaitlistEntry.lot_id, WaitlistEntry.during, now),
        is_open(WaitlistEntry.lot_id, WaitlistEntry.during),
        ~holds_back(WaitlistEntry.motorist_id),
        select(Vehicle.id).where(Vehicle.id == WaitlistEntry.vehicle_id, Vehicle.removed_at.is_(None)).exists(),
    )


def lots_with_a_bay_for_somebody(limit: int) -> Sequence[int]:
    """Ids of lots in which a bay is free for somebody who waits there."""
    with transaction() as session:
        return session.scalars(
            select(WaitlistEntry.lot_id)
            .join(Lot, Lot.id == WaitlistEntry.lot_id)
            .where(_fits(clock.now()))
            .distinct()
            .limit(limit)
        ).all()


def next_to_ask(lot_id: int, apart_from: Collection[int]) -> WaitlistEntry | None:
    """Who joined first of those for whom a bay of the lot is free at this moment."""
    with transaction() as session:
        return session.scalars(
            select(WaitlistEntry)
            .join(Lot, Lot.id == WaitlistEntry.lot_id)
            .where(WaitlistEntry.lot_id == lot_id, WaitlistEntry.id.not_in(apart_from), _fits(clock.now()))
            .order_by(WaitlistEntry.joined_at, WaitlistEntry.id)
            .limit(1)
        ).one_or_none()


def entries_to_settle(limit: int) -> Sequence[int]:
    """Motorists with an entry whose offer is over, or whose time has come without a bay."""
    now = clock.now()
    ends_before = number_for("waitlist_ends_before_minutes", Lot.id, Lot.unit_id, now)
    came = and_(
        WaitlistEntry.state == "waiting",
        func.lower(WaitlistEntry.during) <= now + ends_before * timedelta(minutes=1),
    )
    is_over = and_(WaitlistEntry.state == "offered", or_(BayClaim.state != "held", stale(now)))
    with transaction() as session:
        return session.scalars(
            select(WaitlistEntry.motorist_id)
            .join(Lot, Lot.id == WaitlistEntry.lot_id)
            .outerjoin(BayClaim, BayClaim.id == WaitlistEntry.offer_claim_id)
            .where(or_(came, is_over))
            .distinct()
            .limit(limit)
        ).all()


@dataclass(frozen=True)
class Waiting:
    """An entry as staff see it: nothing of the motorist."""

    key: uuid.UUID
    state: str
    begins_at: datetime
    ends_at: datetime
    joined_at: datetime


def waitlist(by: Actor, lot_key: uuid.UUID) -> list[Waiting]:
    """Who waits for bays of a lot within this person's reach, in the order in which they are asked."""
    with transaction() as session:
        rows = session.scalars(
            select(WaitlistEntry)
            .join(Lot, Lot.id == WaitlistEntry.lot_id)
            .where(
                within(reach(by, "reservations.see")), Lot.key == lot_key,
                WaitlistEntry.state.in_(("waiting", "offered")),
            )
            .order_by(WaitlistEntry.joined_at, WaitlistEntry.id)
        )  # fmt: skip
        return [Waiting(row.key, row.state, *bounds(row.during), row.joined_at) for row in rows]
