"""A motorist's reservations, and nobody else's."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Select, bindparam, func, select

from app.domain.claims.models import BayClaim
from app.domain.lots.models import Bay, Lot
from app.domain.motorists.models import NumberPlate, Vehicle
from app.domain.reservations.models import Reservation
from app.kernel.db import transaction
from app.kernel.refusals import NotFound


class ReservationNotFound(NotFound):
    """There is no such reservation, or it is somebody else's."""

    code = "reservation_not_found"
    message = "未找到该预约"


@dataclass(frozen=True)
class ReservationView:
    """A reservation with what a motorist wants to see beside it."""

    reservation: Reservation
    claim: BayClaim
    bay: Bay
    lot: Lot
    vehicle: Vehicle
    plate: NumberPlate


_VIEWS: Final[Select[Reservation, BayClaim, Bay, Lot, Vehicle, NumberPlate]] = (
    select(Reservation, BayClaim, Bay, Lot, Vehicle, NumberPlate)
    .join(BayClaim, BayClaim.id == Reservation.claim_id)
    .join(Bay, Bay.id == BayClaim.bay_id)
    .join(Lot, Lot.id == Reservation.lot_id)
    .join(Vehicle, Vehicle.id == Reservation.vehicle_id)
    .join(NumberPlate, NumberPlate.id == Vehicle.plate_id)
    .where(Reservation.motorist_id == bindparam("motorist_id"))
)
_ONE: Final = _VIEWS.where(Reservation.key == bindparam("key"))


def one_for(motorist_id: int, key: uuid.UUID) -> ReservationView:
    """One of this motorist's reservations. Refuses `ReservationNotFound`."""
    with transaction() as session:
        row = session.execute(_ONE, {"motorist_id": motorist_id, "key": key}).one_or_none()
    if row is None:
        raise ReservationNotFound
    return ReservationView(*row)


def list_for(motorist_id: int, before_id: int | None, limit: int) -> Sequence[ReservationView]:
    """A motorist's reservations, newest first; `before_id` is the id of the last one already seen."""
    query = _VIEWS.order_by(Reservation.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(Reservation.id < before_id)
    with transaction() as session:
        return [ReservationView(*row) for row in session.execute(query, {"motorist_id": motorist_id})]


def live_count(motorist_id: int) -> int:
    """How many reservations of this motorist still wait for their car, nights of regular places aside."""
    with transaction() as session:
        count = session.scalar(
            select(func.count())
            .select_from(Reservation)
            .join(BayClaim, BayClaim.id == Reservation.claim_id)
            .where(
                Reservation.motorist_id == motorist_id, BayClaim.state.in_(("held", "confirmed")),
                ~Reservation.is_regular,
            )
        )  # fmt: skip
    return count or 0


def owners(claim_ids: Sequence[int]) -> set[int]:
    """Ids of the motorists whose reservations these claims keep."""
    if not claim_ids:
        return set()
    with transaction() as session:
        return set(session.scalars(select(Reservation.motorist_id).where(Reservation.claim_id.in_(claim_ids))))


def of_claim(claim_id: int) -> Reservation | None:
    """The reservation that a claim keeps, if it keeps one."""
    with transaction() as session:
        return session.scalars(select(Reservation).where(Reservation.claim_id == claim_id)).one_or_none()


def oldest_owner_first(claim_ids: Sequence[int]) -> Sequence[int]:
    """These reserved claims, that of the account first which has had the plate longest."""
    with transaction() as session:
        return session.scalars(
            select(Reservation.claim_id)
            .join(Vehicle, Vehicle.id == Reservation.vehicle_id)
            .where(Reservation.claim_id.in_(claim_ids))
            .order_by(Vehicle.added_at, Reservation.begins_at, Reservation.id)
        ).all()


def lot_of_claim(claim_id: int) -> int:
    """The lot of a claim's bay."""
    with transaction() as session:
        return session.scalars(
            select(Bay.lot_id).join(BayClaim, BayClaim.bay_id == Bay.id).where(BayClaim.id == claim_id)
        ).one()
