"""The whole story of one lot, and how far the city has come."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, case, func, select

from app.domain.lots.models import Bay, Entrance, FacilityCheck, Lot, LotPayee, LotPhoto, LotStep, OpeningPlan
from app.domain.lots.queries.places import place_of, seen_lot, within
from app.domain.lots.queries.plans import Contact, contacts_of, plan_in_force, plans_of
from app.domain.lots.queries.standing import LotCounts, counts_by_lot, in_all, shortfalls_of
from app.domain.lots.rules.shortfalls import IN_FORCE, Counts, Shortfall
from app.domain.staff.rules import Actor, Place, permit, reach
from app.domain.units.models import Unit, UnitFinding
from app.domain.units.queries import excluded, unit_seen
from app.domain.units.queries import within as units_within
from app.kernel import clock
from app.kernel.db import transaction


@dataclass(frozen=True)
class LotStory:
    """A lot with everything that was ever decided on it, the newest first."""

    lot: Lot
    unit: Unit
    place: Place
    bays: Sequence[Bay]
    entrances: Sequence[Entrance]
    photos: Sequence[LotPhoto]
    steps: Sequence[LotStep]
    plans: Sequence[OpeningPlan]
    checks: Sequence[FacilityCheck]
    payees: Sequence[LotPayee]
    contacts: Sequence[Contact]
    shortfalls: Sequence[Shortfall]


def story_of(by: Actor, lot_key: uuid.UUID) -> LotStory:
    """One lot within this person's reach, its named persons readable. Refuses `NotFound`, `NotPermitted`."""
    with transaction() as session:
        lot = seen_lot(by, lot_key)
        plan = plan_in_force(lot.id)
        return LotStory(
            lot=lot, unit=session.get_one(Unit, lot.unit_id), place=place_of(lot.id),
            bays=session.scalars(select(Bay).where(Bay.lot_id == lot.id).order_by(Bay.number)).all(),
            entrances=session.scalars(select(Entrance).where(Entrance.lot_id == lot.id).order_by(Entrance.id)).all(),
            photos=session.scalars(
                select(LotPhoto).where(LotPhoto.lot_id == lot.id, LotPhoto.removed_at.is_(None)).order_by(LotPhoto.id)
            ).all(),
            steps=session.scalars(select(LotStep).where(LotStep.lot_id == lot.id).order_by(LotStep.id.desc())).all(),
            plans=plans_of(lot.id),
            checks=session.scalars(
                select(FacilityCheck).where(FacilityCheck.lot_id == lot.id).order_by(FacilityCheck.id.desc())
            ).all(),
            payees=session.scalars(
                select(LotPayee).where(LotPayee.lot_id == lot.id).order_by(LotPayee.id.desc())
            ).all(),
            contacts=contacts_of(plan.id) if plan else (), shortfalls=shortfalls_of(lot.id),
        )  # fmt: skip


@dataclass(frozen=True)
class UnitStanding:
    """A unit's shares (N2.2.2), counted over its lots and shown for each."""

    unit: Unit
    counts: Counts
    lots: Sequence[LotCounts]
    is_excluded: bool


def standing_of(by: Actor, unit_key: uuid.UUID) -> UnitStanding:
    """How a unit within this person's reach stands. Refuses `NotFound`, `NotPermitted`."""
    with transaction() as session:
        unit = unit_seen(by, unit_key)
        permit(by, "lots.see", unit.place)
        found = counts_by_lot(unit.id)
        is_out = bool(session.scalar(select(excluded(Unit.id)).where(Unit.id == unit.id)))
        return UnitStanding(unit, in_all(found), found, is_out)


@dataclass(frozen=True)
class Coverage:
    """What of a district is promised and what is open: units, excepted units, lots, bays (N2.1, N2.2.5, N4.6)."""

    district_code: str
    units: int
    excluded_units: int
    opening_units: int
    lots: int
    open_lots: int
    total_bays: int
    promised_bays: int
    open_bays: int


def coverage(by: Actor, at: datetime | None = None) -> list[Coverage]:
    """By district within this person's reach; nothing is counted before the notice is in force (N6)."""
    scopes = reach(by, "lots.see")
    if (at or clock.now()) < IN_FORCE:
        return []
    is_open = Lot.state == "open"
    shared = select(func.count()).where(Bay.lot_id == Lot.id, Bay.shared).correlate(Lot).scalar_subquery()
    promised = func.coalesce(OpeningPlan.shared_bays, 0)
    lots = (
        select(
            Lot.unit_id, func.count().label("lots"), func.count().filter(is_open).label("open_lots"),
            func.sum(Lot.total_bays).label("total"), func.sum(promised).label("promised"),
            func.sum(case((is_open, shared), else_=0)).label("open_bays"),
        )
        .outerjoin(OpeningPlan, and_(OpeningPlan.lot_id == Lot.id, OpeningPlan.state == "approved"))
        .where(Lot.state != "withdrawn", within(scopes))
        .group_by(Lot.unit_id)
        .subquery()
    )  # fmt: skip
    out = select(UnitFinding.unit_id).where(UnitFinding.lifted_at.is_(None))
    with transaction() as session:
        rows = session.execute(
            select(
                Unit.district_code, func.count(), func.count().filter(Unit.id.in_(out)),
                func.count().filter(lots.c.open_lots > 0),
                *(func.coalesce(func.sum(lots.c[name]), 0) for name in _SUMS),
            )
            .outerjoin(lots, lots.c.unit_id == Unit.id)
            .where(units_within(scopes))
            .group_by(Unit.district_code)
            .order_by(Unit.district_code)
        )  # fmt: skip
        return [Coverage(row[0], *(int(each) for each in row[1:])) for row in rows]


_SUMS = ("lots", "open_lots", "total", "promised", "open_bays")
