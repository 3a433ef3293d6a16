"""Giving a bay back."""

import uuid
from datetime import datetime

from app.domain.claims import actions as claims
from app.domain.claims.queries import claim_by_id
from app.domain.conduct.actions import note
from app.domain.lots.queries import policy_of
from app.domain.reservations.actions.locks import lock_motorist
from app.domain.reservations.actions.offer import ask_to_offer
from app.domain.reservations.models import Cancellation, Reservation
from app.domain.reservations.queries import reservation_of
from app.domain.reservations.rules import is_in_time
from app.kernel import clock
from app.kernel.db import current, transaction
from app.kernel.queue import enqueue


def cancel(motorist_id: int, reservation_key: uuid.UUID) -> Cancellation:
    """Give the bay back. Refuses `ReservationNotFound`, and `WrongState` once the car is in or the promise over."""
    with transaction():
        lock_motorist(motorist_id)
        reservation = reservation_of(motorist_id, reservation_key)
        now = clock.now()
        in_time = is_in_time(reservation.begins_at, now, policy_of(reservation.lot_id))
        cancellation = _free(reservation, "motorist", in_time=in_time)
        if not in_time:
            _note_late(reservation, now)
        return cancellation


def take_back(reservation: Reservation, cause: str) -> Cancellation:
    """The platform ends a locked motorist's promise by a rule; nothing further follows from it.

    Refuses `WrongState` once the car is in or the promise over.
    """
    with transaction():
        return _free(reservation, cause, in_time=True)


def _free(reservation: Reservation, cause: str, *, in_time: bool) -> Cancellation:
    claims.cancel(claim_by_id(reservation.claim_id), cause)
    cancellation = Cancellation(reservation_id=reservation.id, cancelled_at=clock.now(), in_time=in_time)
    current().add(cancellation)
    enqueue("gates.refresh_whitelist", lot_id=reservation.lot_id)
    ask_to_offer(reservation.lot_id)
    return cancellation


def _note_late(reservation: Reservation, now: datetime) -> None:
    evidence = {"begins_at": reservation.begins_at.isoformat(), "cancelled_at": now.isoformat()}
    note("late_cancellation", reservation.motorist_id, reservation.lot_id, "reservation", reservation.id, evidence, now)
