"""What the city is to be told now, put together from the rows of other rooms, and how the feed stands."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, func, not_, or_, select
from sqlalchemy.orm import aliased

from app.adapters.city import Arrival, Berths, Departure, LotDescription, Record
from app.domain.city_feed.models import CityLine, CityLot, CityUpload, CityVisit
from app.domain.city_feed.queries.told import MAY_BE_TOLD as MAY_BE_TOLD
from app.domain.city_feed.queries.visits import Seen, seen
from app.domain.city_feed.rules import (
    OFFICE_BUILDING,
    UNPLATED,
    baidu_point,
    open_time,
    parking_code,
    price_type,
)
from app.domain.claims.queries import occupied
from app.domain.lots.models import Bay, Lot, OpeningPlan
from app.domain.lots.queries import closes_at
from app.domain.motorists.plates import ColourScheme, PlateColour, code_of
from app.domain.partners.queries import fresh_counts
from app.domain.pricing.models import LotTariff, TariffVersion
from app.domain.staff.rules import CITY, Actor, permit
from app.domain.units.models import Unit
from app.domain.units.queries import secret
from app.kernel.db import current, transaction

LINE = 1


def descriptions(lot_ids: Sequence[int], at: datetime) -> Mapping[int, LotDescription]:
    """What each of these lots is at a moment, as the city is told; a withdrawn lot shares no bay."""
    shared = select(func.count()).where(Bay.lot_id == Lot.id, Bay.shared).correlate(Lot).scalar_subquery()
    tariff = (
        select(TariffVersion.name)
        .join(LotTariff, LotTariff.tariff_id == TariffVersion.id)
        .where(LotTariff.lot_id == Lot.id, LotTariff.valid.contains(at))
        .correlate(Lot)
        .scalar_subquery()
    )
    rows = current().execute(
        select(Lot, Unit, shared, tariff, OpeningPlan, CityLot.parking_code)
        .join(Unit, Unit.id == Lot.unit_id)
        .outerjoin(OpeningPlan, and_(OpeningPlan.lot_id == Lot.id, OpeningPlan.state == "approved"))
        .outerjoin(CityLot, CityLot.lot_id == Lot.id)
        .where(Lot.id.in_(lot_ids))
    )
    return {lot.id: _described(lot, unit, bays, name, plan, code) for lot, unit, bays, name, plan, code in rows}


def _described(
    lot: Lot, unit: Unit, shared: int, tariff: str | None, plan: OpeningPlan | None, code: str | None
) -> LotDescription:
    opens_after = timedelta(minutes=plan.opens_after_minutes if plan else 60)
    closes_before = timedelta(minutes=plan.closes_before_minutes if plan else 60)
    baidu_latitude, baidu_longitude = baidu_point(lot.latitude, lot.longitude)
    return LotDescription(
        parking_code=code or parking_code(unit.district_code, lot.id), name=lot.name, address=lot.address,
        region_code=unit.district_code, price_type=price_type(unit.kind), fee_scale=tariff or "以停车场公示为准",
        open_time=open_time(unit.office_begins, unit.office_ends, opens_after, closes_before),
        attached_type=OFFICE_BUILDING, total_bays=lot.total_bays,
        shared_bays=0 if lot.state == "withdrawn" else min(shared, lot.total_bays), chargers=lot.total_chargers,
        latitude=lot.latitude, longitude=lot.longitude, baidu_latitude=baidu_latitude, baidu_longitude=baidu_longitude,
    )  # fmt: skip


def berths(lot_id: int, at: datetime) -> Berths:
    """A lot's bays at a moment: free are those that a car without reservation could take, none while it is closed.

    What the lot's own system counted not long ago goes before our own count.
    """
    lot = current().get_one(Lot, lot_id)
    shared, busy = occupied(lot_id, at)
    opened = 0 if lot.state == "withdrawn" else min(shared, lot.total_bays)
    if lot.state != "open" or closes_at(lot_id, at) is None:
        return Berths(lot.total_bays, opened, 0)
    counted = fresh_counts([lot_id], at).get(lot_id)
    return Berths(lot.total_bays, opened, min(counted.free if counted else max(shared - busy, 0), opened))


def record_of(upload: CityUpload, at: datetime) -> Record | None:
    """What an upload says now; None when it is not to be said: of a unit with state secrets, or of a voided visit."""
    told = current().scalar(select(Lot.id).where(Lot.id == upload.lot_id, MAY_BE_TOLD))
    if told is None:
        return None
    if upload.visit_id is None:
        return descriptions([upload.lot_id], at)[upload.lot_id]
    visit = current().get_one(CityVisit, upload.visit_id)
    told_of = seen(visit)
    if told_of is None:
        return None
    arrival = _arrival(visit, told_of, at)
    return arrival if upload.kind == "entry" else _departure(told_of, arrival)


def _arrival(visit: CityVisit, told_of: Seen, at: datetime) -> Arrival:
    plate = told_of.plate
    return Arrival(
        uid=visit.uid, arrival_id=told_of.number, plate=plate.characters if plate else UNPLATED,
        plate_colour=code_of(ColourScheme.HANGZHOU, plate.colour if plate else PlateColour.OTHER),
        car_type=3 if told_of.vehicle_class == "large" else 1,
        parking_code=current().get_one(CityLot, visit.lot_id).parking_code, entry_number=visit.entry_number,
        berths=berths(visit.lot_id, at), arrived_at=told_of.entered_at,
    )  # fmt: skip


def _departure(told_of: Seen, arrival: Arrival) -> Departure | None:
    """None when a partner has put right that the car left at all."""
    if told_of.left_at is None:
        return None
    return Departure(
        arrival=arrival, departure_id=told_of.number, left_at=told_of.left_at, exit_number=told_of.exit_number,
        should_pay_fen=told_of.fee_fen, charged_fen=told_of.paid_fen,
    )  # fmt: skip


def next_due(at: datetime) -> CityUpload | None:
    """The upload whose turn it is, locked: in each lot one after the other, and no visit before its lot is known."""
    ahead = aliased(CityUpload)
    blocked = select(ahead.id).where(
        ahead.lot_id == CityUpload.lot_id, ahead.state == "due", ahead.id < CityUpload.id
    )  # fmt: skip
    in_turn = or_(CityUpload.kind == "lot", and_(CityLot.known_at.is_not(None), not_(blocked.exists())))
    return current().scalars(
        select(CityUpload)
        .join(CityLot, CityLot.lot_id == CityUpload.lot_id)
        .where(CityUpload.state == "due", CityUpload.next_check_at <= at, in_turn)
        .order_by(CityUpload.next_check_at, CityUpload.id)
        .limit(1)
        .with_for_update(of=CityUpload, skip_locked=True)
    ).one_or_none()  # fmt: skip


def next_pulse(at: datetime, reconnected_at: datetime | None) -> CityLot | None:
    """A lot whose heartbeat is due, or whose free bays the city has not heard since it was away; locked."""
    waits = select(CityUpload.id).where(CityUpload.lot_id == CityLot.lot_id, CityUpload.state == "due")
    due = CityLot.pulse_at <= at
    if reconnected_at is not None:
        due = or_(due, CityLot.state_at.is_(None), CityLot.state_at < reconnected_at)
    return current().scalars(
        select(CityLot)
        .join(Lot, Lot.id == CityLot.lot_id)
        .where(
            CityLot.known_at.is_not(None), due, not_(waits.exists()),
            Lot.state.in_(("open", "suspended")), MAY_BE_TOLD,
        )
        .order_by(CityLot.pulse_at, CityLot.lot_id)
        .limit(1)
        .with_for_update(of=CityLot, skip_locked=True)
    ).one_or_none()  # fmt: skip


@dataclass(frozen=True)
class Standing:
    """How the feed stands: what waits and since when, what was refused, and whether the city answers."""

    began_at: datetime | None
    lots_known: int
    due: int
    oldest_due_at: datetime | None
    refused: int
    away_since: datetime | None
    last_failure: str | None
    barred_code: str | None
    reconnected_at: datetime | None


def standing(by: Actor) -> Standing:
    """How the city's feed stands now. Refuses `NotPermitted`."""
    with transaction():
        permit(by, "city_feed.see", CITY)
        return stands()


def stands() -> Standing:
    """The same, for the platform's own door and alarms."""
    with transaction() as session:
        line = session.get(CityLine, LINE)
        due, oldest = session.execute(
            select(func.count(), func.min(CityUpload.made_at)).where(CityUpload.state == "due")
        ).one()
        return Standing(
            began_at=line.began_at if line else None,
            lots_known=session.scalar(select(func.count()).where(CityLot.known_at.is_not(None))) or 0,
            due=due, oldest_due_at=oldest,
            refused=session.scalar(select(func.count()).where(CityUpload.state == "refused")) or 0,
            away_since=line.away_since if line else None, last_failure=line.last_failure if line else None,
            barred_code=line.barred_code if line else None, reconnected_at=line.reconnected_at if line else None,
        )  # fmt: skip


def is_away() -> bool:
    """Whether the city did not answer when it was last told something."""
    with transaction() as session:
        return session.scalar(select(CityLine.away_since).where(CityLine.id == LINE)) is not None


@dataclass(frozen=True)
class RefusedUpload:
    """An upload that the city refused, with its code."""

    key: uuid.UUID
    kind: str
    lot_name: str
    code: str | None
    refused_at: datetime | None


def refused_uploads(by: Actor, limit: int = 100) -> Sequence[RefusedUpload]:
    """What the city refused and nobody sent again, the oldest first. Refuses `NotPermitted`."""
    with transaction() as session:
        permit(by, "city_feed.see", CITY)
        rows = session.execute(
            select(CityUpload, Lot.name)
            .join(Lot, Lot.id == CityUpload.lot_id)
            .where(CityUpload.state == "refused", not_(secret(Lot.unit_id)))
            .order_by(CityUpload.id)
            .limit(limit)
        )
        return [RefusedUpload(row.key, row.kind, name, row.last_code, row.ended_at) for row, name in rows]
