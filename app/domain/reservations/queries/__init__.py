"""A motorist's reservations, and nobody else's."""

from collections.abc import Sequence

from sqlalchemy import func, select

from app.domain.claims.models import BayClaim
from app.domain.lots.models import Bay
from app.domain.motorists.models import Vehicle
from app.domain.reservations.models import Reservation
from app.domain.reservations.queries.lookup import ReservationNotFound, reservation_of
from app.domain.reservations.queries.views import ReservationView, list_for, one_for
from app.kernel.db import transaction

__all__ = [
    "ReservationNotFound",
    "ReservationView",
    "list_for",
    "live_count",
    "lot_of_claim",
    "of_claim",
    "oldest_owner_first",
    "one_for",
    "owners",
    "reservation_of",
]


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
