"""Staying longer than was reserved."""

import uuid
from datetime import datetime

from app.domain.claims import actions as claims
from app.domain.claims.queries import claim_by_id
from app.domain.lots import queries as lots
from app.domain.lots.models import Lot
from app.domain.motorists.models import Vehicle
from app.domain.reservations.actions.locks import lock_motorist, lock_plate_for
from app.domain.reservations.actions.reserve import LotSuspended
from app.domain.reservations.models import Extension, Reservation
from app.domain.reservations.queries import reservation_of
from app.domain.reservations.rules import arrival_window, check_extension, check_movement
from app.kernel import clock
from app.kernel.db import current, refusing, transaction
from app.kernel.queue import enqueue
from app.kernel.spans import span


def extend(motorist_id: int, reservation_key: uuid.UUID, ends_at: datetime) -> Extension:
    """Let a reservation last until `ends_at`, before the car has come or while it is parked, in the very same bay.

    Refuses `ReservationNotFound`, `WrongState` once the promise is over, `NotLonger`, `InThePast`, `TooLong`,
    `MovementCurfew`, `LotSuspended`, `OutsideOpenHours`, `PlateBusy`, `StayTaken` when the bay is promised to another
    then, `LotBusy`. Nothing is left behind by a refusal.
    """
    with transaction() as session, claims.waiting_briefly():
        lock_motorist(motorist_id)
        reservation = reservation_of(motorist_id, reservation_key)
        policy = lots.policy_of(reservation.lot_id)
        check_extension(reservation.begins_at, reservation.ends_at, ends_at, clock.now(), policy)
        check_movement(reservation.begins_at, ends_at, lots.curfew_of(reservation.lot_id))
        if session.get_one(Lot, reservation.lot_id).state != "open":
            raise LotSuspended
        vehicle = session.get_one(Vehicle, reservation.vehicle_id)
        more = span(reservation.ends_at, ends_at)
        lock_plate_for(motorist_id, vehicle.plate_id, reservation.lot_id, more, apart_from=reservation.claim_id)
        claim = claim_by_id(reservation.claim_id)
        admit = arrival_window(reservation.begins_at, ends_at, policy, is_regular=reservation.is_regular)
        claims.extend(claim, ends_at, admit)
        extension = _written(reservation, ends_at)
        enqueue("gates.refresh_whitelist", lot_id=reservation.lot_id)
        return extension


def _written(reservation: Reservation, ends_at: datetime) -> Extension:
    """The table asks again whether the lot is open: a claim in use is bound to no window, but its extension is."""
    session = current()
    extension = Extension(
        reservation_id=reservation.id, was_until=reservation.ends_at, ends_at=ends_at, made_at=clock.now()
    )
    with refusing({"an_extension_lies_in_an_open_window": claims.OutsideOpenHours}):
        session.add(extension)
        session.flush()
        reservation.ends_at = ends_at
        session.flush()
    return extension
