"""Promising one night of a regular place."""

from datetime import datetime

from sqlalchemy.dialects.postgresql import Range

from app.domain.claims import actions as claims
from app.domain.lots import queries as lots
from app.domain.motorists.models import Vehicle
from app.domain.reservations.actions.kept import kept
from app.domain.reservations.actions.locks import lock_plate_for
from app.domain.reservations.models import Reservation
from app.domain.reservations.rules import arrival_window, check_movement
from app.kernel.db import transaction
from app.kernel.spans import bounds


def reserve_night(vehicle: Vehicle, signature_id: int, lot_id: int, during: Range[datetime]) -> Reservation:
    """Promise a locked motorist a bay of a lot for a night, by the same guard as every reservation.

    It may lie further ahead than others and counts towards no limit of theirs. Refuses `MovementCurfew`, `PlateBusy`,
    `LotFull`, `OutsideOpenHours`, `LotBusy`. Nothing is left behind by a refusal.
    """
    with transaction(), claims.waiting_briefly():
        begins_at, ends_at = bounds(during)
        check_movement(begins_at, ends_at, lots.curfew_of(lot_id))
        is_alone = lock_plate_for(vehicle.motorist_id, vehicle.plate_id, lot_id, during)
        admit = arrival_window(begins_at, ends_at, lots.policy_of(lot_id), is_regular=True)
        wanted = kept(vehicle.motorist_id, vehicle.id, lot_id, signature_id, begins_at, ends_at, is_regular=True)
        return claims.promise_to(wanted, lot_id, vehicle.plate_id, during, admit, exclusive_plate=is_alone)
