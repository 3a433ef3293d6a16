"""Reservations as their motorist sees them: what stands beside them comes in one question, by prepared statements."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, Select, Uuid, bindparam, select

from app.domain.claims.models import BayClaim
from app.domain.gates.queries.readiness import ready
from app.domain.lots.models import Bay, Lot
from app.domain.motorists.models import NumberPlate, Vehicle
from app.domain.motorists.queries import characters_of
from app.domain.reservations.models import Reservation
from app.domain.reservations.queries.lookup import ReservationNotFound
from app.kernel.db import transaction
from app.kernel.prepared import Prepared


@dataclass(frozen=True)
class LotSeen:
    """Where a reserved bay is."""

    key: uuid.UUID
    name: str
    address: str
    latitude: float
    longitude: float


@dataclass(frozen=True)
class ReservationView:
    """A reservation with what a motorist wants to see beside it; `gate_ready` as `readiness` tells it."""

    id: int
    key: uuid.UUID
    state: str
    lot: LotSeen
    bay: str
    zone: str
    vehicle_key: uuid.UUID
    plate: str = field(repr=False)
    begins_at: datetime
    ends_at: datetime
    admit_from: datetime
    admit_until: datetime
    made_at: datetime
    gate_ready: bool | None


def one_for(motorist_id: int, key: uuid.UUID) -> ReservationView:
    """One of this motorist's reservations. Refuses `ReservationNotFound`."""
    with transaction():
        row = _ONE.first(motorist_id=motorist_id, key=key)
    if row is None:
        raise ReservationNotFound
    return _seen(row)


def list_for(motorist_id: int, before_id: int | None, limit: int) -> Sequence[ReservationView]:
    """A motorist's reservations, newest first; `before_id` is the id of the last one already seen."""
    with transaction():
        rows = _NEWEST.all(motorist_id=motorist_id, before_id=_LATEST if before_id is None else before_id, limit=limit)
    return [_seen(row) for row in rows]


def _seen(row: Any) -> ReservationView:
    return ReservationView(
        id=row.id, key=row.key, state=row.state,
        lot=LotSeen(row.lot_key, row.lot_name, row.address, row.latitude, row.longitude),
        bay=row.bay, zone=row.zone, vehicle_key=row.vehicle_key, plate=characters_of(row.plate_key, row.value_enc),
        begins_at=row.begins_at, ends_at=row.ends_at, admit_from=row.admit_from, admit_until=row.admit_until,
        made_at=row.made_at, gate_ready=row.gate_ready,
    )  # fmt: skip


_VIEWS: Final[Select[*tuple[Any, ...]]] = (
    select(
        Reservation.id, Reservation.key, BayClaim.state, Lot.key.label("lot_key"), Lot.name.label("lot_name"),
        Lot.address, Lot.latitude, Lot.longitude, Bay.number.label("bay"), Bay.zone,
        Vehicle.key.label("vehicle_key"), NumberPlate.key.label("plate_key"), NumberPlate.value_enc,
        Reservation.begins_at, Reservation.ends_at, BayClaim.admit_from, BayClaim.admit_until, Reservation.made_at,
        ready(Reservation.claim_id).label("gate_ready"),
    )
    .select_from(Reservation)
    .join(BayClaim, BayClaim.id == Reservation.claim_id)
    .join(Bay, Bay.id == BayClaim.bay_id)
    .join(Lot, Lot.id == Reservation.lot_id)
    .join(Vehicle, Vehicle.id == Reservation.vehicle_id)
    .join(NumberPlate, NumberPlate.id == Vehicle.plate_id)
    .where(Reservation.motorist_id == bindparam("motorist_id", type_=BigInteger))
)  # fmt: skip
_ONE: Final = Prepared(_VIEWS.where(Reservation.key == bindparam("key", type_=Uuid)))
_LATEST: Final = 2**63 - 1
"""No id is greater."""
_NEWEST: Final = Prepared(
    _VIEWS.where(Reservation.id < bindparam("before_id", type_=BigInteger))
    .order_by(Reservation.id.desc())
    .limit(bindparam("limit", type_=BigInteger))
)
