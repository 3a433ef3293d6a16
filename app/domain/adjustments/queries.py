"""What is adjusted where, what the public reads about it, whom it touched, and what was offered instead."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, true

from app.domain.adjustments.models import Adjustment, AdjustmentLot, Displacement, WaiverBasis
from app.domain.claims.models import BayClaim
from app.domain.lots.models import Bay, Lot
from app.domain.lots.queries import IS_PUBLIC
from app.domain.lots.queries.places import place_of as place_of_lot
from app.domain.lots.queries.places import within
from app.domain.reservations.models import Reservation
from app.domain.staff.rules import Actor, Place, Scope, ScopeKind, reach
from app.domain.tasks.models import Task
from app.domain.units.models import Unit
from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.refusals import NotFound


@dataclass(frozen=True)
class Announcement:
    """What the public reads (公告): kind, words, from when until when (None: until further notice)."""

    key: uuid.UUID
    kind: str
    text: str
    begins_at: datetime
    ends_at: datetime | None


def _is_announced(at: datetime) -> ColumnElement[bool]:
    """A year's calendar is no announcement: the hours that lots show say it."""
    is_to_come = or_(func.upper_inf(Adjustment.during), func.upper(Adjustment.during) > at)
    return and_(Adjustment.kind != "calendar", Adjustment.ended_at.is_(None), is_to_come)


def _told(row: Adjustment) -> Announcement:
    assert row.during.lower is not None
    return Announcement(row.key, row.kind, row.announcement, row.during.lower, row.during.upper)


@dataclass(frozen=True)
class CityAnnouncement:
    """An announcement with the lots that it is about: how many, and the first of them by name."""

    id: int
    announcement: Announcement
    scope: str
    lots: Sequence[Lot]
    lot_count: int


NAMED = 20
"""So many lots of an announcement are named."""


def city_announcements(before_id: int | None, limit: int) -> list[CityAnnouncement]:
    """What is announced now in the whole city, the newest first; `before_id` is the id of the last one seen."""
    wanted = select(Adjustment).where(_is_announced(clock.now()), _shown_lots().exists())
    if before_id is not None:
        wanted = wanted.where(Adjustment.id < before_id)
    with transaction() as session:
        rows = session.scalars(wanted.order_by(Adjustment.id.desc()).limit(limit)).all()
        return [_in_the_city(row) for row in rows]


def _shown_lots() -> Select[Lot]:
    return (
        select(Lot)
        .join(AdjustmentLot, AdjustmentLot.lot_id == Lot.id)
        .where(AdjustmentLot.adjustment_id == Adjustment.id, IS_PUBLIC)
        .correlate(Adjustment)
    )


def _in_the_city(row: Adjustment) -> CityAnnouncement:
    """Lots that the public may not know of are neither named nor counted."""
    mine = (
        select(Lot).join(AdjustmentLot, AdjustmentLot.lot_id == Lot.id)
        .where(AdjustmentLot.adjustment_id == row.id, IS_PUBLIC)
    )  # fmt: skip
    with transaction() as session:
        count = session.scalar(select(func.count()).select_from(mine.subquery())) or 0
        lots = session.scalars(mine.order_by(Lot.name, Lot.id).limit(NAMED)).all()
    return CityAnnouncement(row.id, _told(row), row.scope, lots, count)


@dataclass(frozen=True)
class Offer:
    """What became of a displaced reservation: why, and the bay near by that is or was kept for it.

    `outcome` is None while a bay is looked for, else nothing_near, offered, accepted, declined or lapsed.
    """

    outcome: str | None
    announcement: str
    lot: Lot | None
    bay: Bay | None
    begins_at: datetime | None
    ends_at: datetime | None
    expires_at: datetime | None
    reservation_key: uuid.UUID | None
    """The new reservation, once accepted."""


def offers(reservation_ids: Sequence[int]) -> Mapping[int, Offer]:
    """For each of these reservations that was displaced, what was offered instead."""
    accepted = (
        select(Reservation.key).where(Reservation.claim_id == Displacement.offer_claim_id).correlate(Displacement)
    ).scalar_subquery()
    with transaction() as session:
        rows = session.execute(
            select(Displacement, Adjustment.announcement, BayClaim, Bay, Lot, accepted)
            .join(Adjustment, Adjustment.id == Displacement.adjustment_id)
            .outerjoin(BayClaim, BayClaim.id == Displacement.offer_claim_id)
            .outerjoin(Bay, Bay.id == BayClaim.bay_id)
            .outerjoin(Lot, Lot.id == Bay.lot_id)
            .where(Displacement.reservation_id.in_(reservation_ids))
        ).all()
        return {row[0].reservation_id: _offer(*row) for row in rows}


def _offer(row: Displacement, text: str, claim: Any, bay: Any, lot: Any, kept: Any) -> Offer:
    if claim is None:
        return Offer(row.outcome, text, None, None, None, None, None, None)
    expires_at = claim.hold_expires_at
    is_over = claim.state != "held" or (expires_at is not None and expires_at <= clock.now())
    outcome = "lapsed" if row.outcome == "offered" and is_over else row.outcome
    return Offer(outcome, text, lot, bay, claim.during.lower, claim.during.upper, expires_at, kept)


@dataclass(frozen=True)
class Listed:
    """An adjustment as staff see it: the lots that it touches, those done, the reservations it displaced."""

    adjustment: Adjustment
    lots: int
    done: int
    displaced: int


def adjustments(by: Actor, *, with_ended: bool = False, before_id: int | None = None, limit: int = 200) -> list[Listed]:
    """Adjustments that touch a lot within this person's reach, the newest first."""
    with transaction() as session:
        mine = select(AdjustmentLot.adjustment_id).join(Lot, Lot.id == AdjustmentLot.lot_id)
        reached = mine.where(within(reach(by, "adjustments.see")), AdjustmentLot.adjustment_id == Adjustment.id)
        wanted = _counted().where(reached.correlate(Adjustment).exists())
        if not with_ended:
            now = clock.now()
            wanted = wanted.where(
                Adjustment.ended_at.is_(None),
                or_(func.upper_inf(Adjustment.during), func.upper(Adjustment.during) > now),
            )
        if before_id is not None:
            wanted = wanted.where(Adjustment.id < before_id)
        rows = session.execute(wanted.order_by(Adjustment.id.desc()).limit(limit)).all()
        return [Listed(*row) for row in rows]


def _counted() -> Select[Adjustment, int, int, int]:
    lots = select(func.count()).where(AdjustmentLot.adjustment_id == Adjustment.id).correlate(Adjustment)
    done = lots.where(AdjustmentLot.applied_at.is_not(None))
    lost = select(func.count()).where(Displacement.adjustment_id == Adjustment.id).correlate(Adjustment)
    return select(Adjustment, lots.scalar_subquery(), done.scalar_subquery(), lost.scalar_subquery())


@dataclass(frozen=True)
class Affected:
    """A reservation that lost its bay: no more of the motorist than the reservation's key."""

    reservation_key: uuid.UUID
    lot: str
    begins_at: datetime
    ends_at: datetime
    outcome: str | None


def affected(by: Actor, adjustment_key: uuid.UUID) -> list[Affected]:
    """The reservations that an adjustment displaced in lots within this person's reach. Refuses `NotFound`."""
    with transaction() as session:
        adjustment_id = session.scalar(select(Adjustment.id).where(Adjustment.key == adjustment_key))
        if adjustment_id is None:
            raise NotFound
        rows = session.execute(
            select(Reservation.key, Lot.name, Reservation.begins_at, Reservation.ends_at, Displacement.outcome)
            .join(Displacement, Displacement.reservation_id == Reservation.id)
            .join(Lot, Lot.id == Reservation.lot_id)
            .where(Displacement.adjustment_id == adjustment_id, within(reach(by, "adjustments.see")))
            .order_by(Reservation.begins_at, Reservation.id)
        )
        return [Affected(*row) for row in rows]


def bases(by: Actor) -> list[WaiverBasis]:
    """Bases on which public money may be waived, within this person's reach, the newest first."""
    with transaction() as session:
        scopes = reach(by, "adjustments.see")
        wanted = select(WaiverBasis).where(or_(false(), *(_reaches(scope) for scope in scopes)))
        return list(session.scalars(wanted.order_by(WaiverBasis.id.desc())))


def basis_seen(by: Actor, key: uuid.UUID) -> WaiverBasis:
    """One of them. Refuses `NotFound`."""
    found = next((row for row in bases(by) if row.key == key), None)
    if found is None:
        raise NotFound
    return found


def _reaches(scope: Scope) -> ColumnElement[bool]:
    if scope.kind is ScopeKind.CITY:
        return true()
    if scope.kind is ScopeKind.UNIT:
        return WaiverBasis.unit_id == scope.unit_id
    if scope.kind is ScopeKind.DISTRICT:
        units = select(Unit.id).where(Unit.district_code == scope.district_code)
        return or_(WaiverBasis.district_code == scope.district_code, WaiverBasis.unit_id.in_(units))
    return false()


def place_of(adjustment_id: int) -> Place:
    """Where an adjustment lies: its lot when it touches only one, else its district, else the city."""
    with transaction() as session:
        row = session.get_one(Adjustment, adjustment_id)
        touched = session.scalars(
            select(AdjustmentLot.lot_id).where(AdjustmentLot.adjustment_id == adjustment_id).limit(2)
        ).all()
        if row.scope == "lots" and len(touched) == 1:
            return place_of_lot(touched[0])
        return Place(row.district_code)


def pending(limit: int) -> Sequence[tuple[int, int]]:
    """(adjustment, lot) for lots that are not cared for yet, or not taken back after an early end, the oldest first."""
    is_late = and_(Adjustment.ended_at.is_not(None), AdjustmentLot.reopened_at.is_(None), Adjustment.kind != "free")
    with transaction() as session:
        rows = session.execute(
            select(AdjustmentLot.adjustment_id, AdjustmentLot.lot_id)
            .join(Adjustment, Adjustment.id == AdjustmentLot.adjustment_id)
            .where(or_(AdjustmentLot.applied_at.is_(None), is_late))
            .order_by(AdjustmentLot.adjustment_id, AdjustmentLot.lot_id)
            .limit(limit)
        )
        return [(row.adjustment_id, row.lot_id) for row in rows]


def unsought(limit: int) -> Sequence[int]:
    """Ids of displacements for which nobody has looked for another bay yet."""
    with transaction() as session:
        return session.scalars(
            select(Displacement.id).where(Displacement.outcome.is_(None)).order_by(Displacement.id).limit(limit)
        ).all()


def reviews_due(now: datetime, limit: int) -> Sequence[int]:
    """Ids of emergencies without an end that should be looked at again, about which nobody was asked yet."""
    asked = select(Task.id).where(Task.kind == "adjustment_review", Task.subject_id == Adjustment.id)
    with transaction() as session:
        return session.scalars(
            select(Adjustment.id)
            .where(Adjustment.ended_at.is_(None), Adjustment.review_at <= now, ~asked.exists())
            .order_by(Adjustment.id)
            .limit(limit)
        ).all()
