"""One reservation of a motorist, for the actions upon it."""

import uuid

from sqlalchemy import select

from app.domain.reservations.models import Reservation
from app.kernel.db import transaction
from app.kernel.refusals import NotFound


class ReservationNotFound(NotFound):
    """There is no such reservation, or it is somebody else's."""

    code = "reservation_not_found"
    message = "未找到该预约"


def reservation_of(motorist_id: int, key: uuid.UUID) -> Reservation:
    """One of this motorist's reservations. Refuses `ReservationNotFound`."""
    with transaction() as session:
        of_motorist = select(Reservation).where(Reservation.motorist_id == motorist_id, Reservation.key == key)
        found = session.scalars(of_motorist).one_or_none()
    if found is None:
        raise ReservationNotFound
    return found
