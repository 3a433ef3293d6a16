"""What a lot is, when it is open and whose its money is."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Float,
    Integer,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    cast,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import Range

from app.domain.lots.models import Bay, Lot, LotPayee, OpenWindow
from app.domain.lots.queries.hours import curfews_of as curfews_of
from app.domain.lots.queries.places import IS_PUBLIC as IS_PUBLIC
from app.domain.lots.queries.places import LotNotFound as LotNotFound
from app.domain.lots.queries.places import place_of as place_of
from app.domain.lots.rules import Curfew
from app.domain.policies.queries import numbers
from app.domain.units.models import Unit
from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.refusals import Conflict

METRES_PER_DEGREE = 111_195.0
EARTH_RADIUS_M = 6_371_008.8


class PayeeMissing(Conflict):
    """Nobody is named who may receive this lot's money at that time; nothing may be collected."""

    code = "payee_missing"
    message = "该停车场尚未确定收费主体，暂不能缴费"


@dataclass(frozen=True)
class Point:
    """A place in GCJ-02 degrees."""

    latitude: float
    longitude: float


@dataclass(frozen=True)
class NearbyLot:
    """A lot, how many bays it shares (N2.2.2), and its distance in metres from the point that was asked for."""

    lot: Lot
    unit: Unit
    shared_bays: int
    distance_m: int


def lot_by_key(key: uuid.UUID) -> Lot:
    """One lot that the public may see. Refuses `LotNotFound`."""
    with transaction() as session:
        lot = session.scalars(select(Lot).where(Lot.key == key, IS_PUBLIC)).one_or_none()
    if lot is None:
        raise LotNotFound
    return lot


def lot_itself(key: uuid.UUID) -> NearbyLot:
    """One lot that the public may see, as somebody sees it who stands there. Refuses `LotNotFound`."""
    with transaction() as session:
        row = session.execute(
            select(Lot, Unit, _shared_bays()).join(Unit, Unit.id == Lot.unit_id).where(Lot.key == key, IS_PUBLIC)
        ).one_or_none()
    if row is None:
        raise LotNotFound
    lot, unit, shared = row
    return NearbyLot(lot, unit, shared, 0)


def lots_near(point: Point, radius_m: int, after: tuple[int, int] | None, limit: int) -> Sequence[NearbyLot]:
    """Lots by distance, then id; `after` is the (distance, id) of the last one already seen."""
    after_m, after_id = after or (-1, 0)
    asked = {
        **vars(point), "reach": radius_m / METRES_PER_DEGREE, "radius_m": radius_m,
        "after_m": after_m, "after_id": after_id, "most": limit,
    }  # fmt: skip
    with transaction() as session:
        return [
            NearbyLot(lot, unit, shared, int(metres)) for lot, unit, shared, metres in session.execute(_NEAR, asked)
        ]


def _nearest_first() -> Select[Lot, Unit, int, float]:
    latitude, longitude, reach = (bindparam(name, type_=Float) for name in ("latitude", "longitude", "reach"))
    near = (
        select(Lot.id.label("id"), cast(func.round(_metres_from(latitude, longitude)), Float).label("distance"))
        .where(
            Lot.state == "open",
            IS_PUBLIC,
            Lot.latitude.between(latitude - reach, latitude + reach),
            Lot.longitude.between(longitude - 2 * reach, longitude + 2 * reach),
        )
        .subquery()
    )
    after = func.row(bindparam("after_m", type_=Integer), bindparam("after_id", type_=BigInteger))
    return (
        select(Lot, Unit, _shared_bays(), near.c.distance)
        .join(near, near.c.id == Lot.id)
        .join(Unit, Unit.id == Lot.unit_id)
        .where(near.c.distance <= bindparam("radius_m", type_=Integer), func.row(near.c.distance, Lot.id) > after)
        .order_by(near.c.distance, Lot.id)
        .limit(bindparam("most", type_=Integer))
    )


def _metres_from(latitude: ColumnElement[float], longitude: ColumnElement[float]) -> ColumnElement[float]:
    """Great-circle distance of a lot (haversine), good to a metre at the size of a city."""
    half_latitude = func.radians(Lot.latitude - latitude) / 2
    half_longitude = func.radians(Lot.longitude - longitude) / 2
    square = func.pow(func.sin(half_latitude), 2) + func.cos(func.radians(latitude)) * func.cos(
        func.radians(Lot.latitude)
    ) * func.pow(func.sin(half_longitude), 2)
    metres: ColumnElement[float] = 2 * EARTH_RADIUS_M * func.asin(func.sqrt(square))
    return metres


def _shared_bays() -> ScalarSelect[int]:
    """How many bays the lot of the outer query shares with the public."""
    return select(func.count()).where(Bay.lot_id == Lot.id, Bay.shared).correlate(Lot).scalar_subquery()


_NEAR = _nearest_first()
"""Built once: putting so large a statement together took longer than asking it."""


def windows(lot_ids: Sequence[int], during: Range[datetime]) -> Mapping[int, list[tuple[datetime, datetime]]]:
    """For each lot, the open windows that touch a span, in order, uncut."""
    found: dict[int, list[tuple[datetime, datetime]]] = {lot_id: [] for lot_id in lot_ids}
    with transaction() as session:
        rows = session.execute(
            select(OpenWindow.lot_id, func.lower(OpenWindow.during), func.upper(OpenWindow.during))
            .where(OpenWindow.lot_id.in_(lot_ids), OpenWindow.during.overlaps(during))
            .order_by(OpenWindow.lot_id, OpenWindow.during)
        )
        for lot_id, opens_at, closes_at in rows:
            found[lot_id].append((opens_at, closes_at))
    return found


def closes_at(lot_id: int, at: datetime) -> datetime | None:
    """When the open window that holds at `at` ends; `None` when the lot is closed then."""
    with transaction() as session:
        return session.scalar(
            select(func.upper(OpenWindow.during)).where(OpenWindow.lot_id == lot_id, OpenWindow.during.contains(at))
        )


def next_openings(lot_ids: Sequence[int], after: datetime) -> Mapping[int, datetime]:
    """For each lot that has one, when it opens next after a moment."""
    with transaction() as session:
        rows = session.execute(
            select(OpenWindow.lot_id, func.min(func.lower(OpenWindow.during)))
            .where(OpenWindow.lot_id.in_(lot_ids), func.lower(OpenWindow.during) > after)
            .group_by(OpenWindow.lot_id)
        )
        return dict(rows.all())


def payee_at(lot_id: int, at: datetime) -> int:
    """Who receives this lot's money at a moment. Refuses `PayeeMissing`."""
    with transaction() as session:
        payee_id = session.scalar(
            select(LotPayee.payee_id).where(and_(LotPayee.lot_id == lot_id, LotPayee.valid.contains(at)))
        )
    if payee_id is None:
        raise PayeeMissing(lot_id=lot_id)
    return payee_id


HORIZON = timedelta(days=35)
"""How far ahead open windows are written down; reservations reach less far."""


def lots_short_of_windows(limit: int) -> Sequence[int]:
    """Ids of lots that take the public and whose windows are not yet written down to the horizon."""
    with transaction() as session:
        needed = clock.now() + HORIZON - timedelta(days=5)
        return session.scalars(
            select(Lot.id)
            .where(Lot.state.in_(("open", "suspended")), func.coalesce(Lot.windows_until < needed, True))
            .order_by(Lot.id)
            .limit(limit)
        ).all()


def curfew_of(lot_id: int) -> Curfew | None:
    """Between which clock times no car may drive in or out of a lot, if its plan in force says so."""
    return curfews_of([lot_id]).get(lot_id)


def policy_of(lot_id: int) -> Mapping[str, int]:
    """The policy numbers that hold for a lot: its own, else its unit's, else the city's."""
    with transaction() as session:
        unit_id = session.scalar(select(Lot.unit_id).where(Lot.id == lot_id))
        assert unit_id is not None
        return numbers(lot_id=lot_id, unit_id=unit_id)
