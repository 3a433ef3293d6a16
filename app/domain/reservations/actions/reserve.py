"""Promising a motorist a bay."""

import uuid
from datetime import datetime

from app.domain.claims import actions as claims
from app.domain.lots import queries as lots
from app.domain.lots.models import Lot
from app.domain.reservations.actions.kept import kept
from app.domain.reservations.actions.locks import lock_motorist_and_plate, lock_plate_for
from app.domain.reservations.models import Reservation
from app.domain.reservations.queries.asked import asked
from app.domain.reservations.rules import TooManyReservations, arrival_window, check_movement, checked_span
from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.refusals import Conflict
from app.kernel.spans import span_or_nothing


class LotSuspended(Conflict):
    """The lot takes no reservations at present."""

    code = "lot_suspended"
    message = "该停车场暂停开放"


def reserve(
    motorist_id: int, vehicle_key: uuid.UUID, lot_key: uuid.UUID, begins_at: datetime, ends_at: datetime
) -> Reservation:
    """Promise this motorist a bay of a lot for [begins_at, ends_at); confirmed at once (N2.2.3).

    Refuses `ReservationsSuspended`, `ArrearsOwed`, `AgreementNotSigned`, `VehicleNotFound`, `LotNotFound`,
    `LotSuspended`, the span refusals of `rules`, `TooManyReservations`, and the guard's own: `LotFull`, `PlateBusy`,
    `OutsideOpenHours`, `LotBusy`. Nothing is left behind by a refusal.
    """
    with transaction(), claims.waiting_briefly():
        lock_motorist_and_plate(motorist_id, vehicle_key)
        it = asked(motorist_id, vehicle_key, lot_key, span_or_nothing(begins_at, ends_at))
        if not it.lot_is_open:
            raise LotSuspended
        during = checked_span(begins_at, ends_at, clock.now(), it.policy)
        check_movement(begins_at, ends_at, it.curfew)
        if it.live_reservations >= it.policy["live_reservations"]:
            raise TooManyReservations(limit=it.policy["live_reservations"])
        is_alone = not it.plate_is_claimed or lock_plate_for(motorist_id, it.plate_id, it.lot_id, during)
        if it.free_bay_id is None:
            raise claims.LotFull
        admit = arrival_window(begins_at, ends_at, it.policy)
        wanted = kept(
            motorist_id, it.vehicle_id, it.lot_id, it.signature_id, begins_at, ends_at, is_regular=False
        )  # fmt: skip
        return claims.promise_to(
            wanted, it.lot_id, it.plate_id, during, admit, exclusive_plate=is_alone, seen_free=it.free_bay_id
        )  # fmt: skip


def open_lot(key: uuid.UUID) -> Lot:
    """A lot that takes reservations now. Refuses `LotNotFound`, `LotSuspended`."""
    lot = lots.lot_by_key(key)
    if lot.state != "open":
        raise LotSuspended
    return lot
