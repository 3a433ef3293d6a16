"""The rows that whoever promises something to a motorist holds first."""

import uuid
from datetime import datetime
from typing import Final

from sqlalchemy import Uuid, bindparam, func, select
from sqlalchemy.dialects.postgresql import Range

from app.domain.claims.actions import PlateBusy, lock_plate
from app.domain.claims.queries import overlapping_of_plate
from app.domain.lots.queries import place_of
from app.domain.motorists.models import Motorist, NumberPlate, Vehicle
from app.domain.reservations.queries import owners
from app.domain.tasks.actions import open_task
from app.kernel import clock
from app.kernel.db import current
from app.kernel.prepared import Prepared


def lock_motorist(motorist_id: int) -> None:
    """One motorist's requests queue here, so that a limit counted in the transaction holds."""
    current().execute(_MOTORIST, {"motorist_id": motorist_id})


_MOTORIST: Final = select(Motorist.id).where(Motorist.id == bindparam("motorist_id")).with_for_update(key_share=True)


def lock_motorist_and_plate(motorist_id: int, vehicle_key: uuid.UUID) -> None:
    """Both in this order by one statement, and the transaction's moment is that at which they were had.

    Nothing is locked where the motorist has no such vehicle.
    """
    at = _MOTORIST_AND_PLATE.value(motorist_id=motorist_id, vehicle_key=vehicle_key)
    if at is not None:
        clock.brought(at)


_LOCKED: Final = (
    select(Motorist.id)
    .join(Vehicle, Vehicle.motorist_id == Motorist.id)
    .join(NumberPlate, NumberPlate.id == Vehicle.plate_id)
    .where(Motorist.id == bindparam("motorist_id"), Vehicle.key == bindparam("vehicle_key", type_=Uuid))
    .with_for_update(key_share=True, of=[Motorist, NumberPlate])
    .subquery("locked")
)
_MOTORIST_AND_PLATE: Final = Prepared(select(func.clock_timestamp()).select_from(_LOCKED))
"""The time is asked of what was locked, so that it is not that at which the wait began."""


def lock_plate_for(
    motorist_id: int, plate_id: int, lot_id: int, during: Range[datetime], apart_from: int | None = None
) -> bool:
    """Lock the plate for a claim in a lot; whether no other claim but `apart_from` has it for some part of the span.

    Somebody else's booking of the same plate cannot stand in its owner's way, nor a car parked as a walk-in, whose
    claim reaches as far as it might stay, nor a bay that is only on offer. Refuses `PlateBusy` when the motorist's own
    reservation does.
    """
    lock_plate(plate_id)
    rivals = [rival for rival in overlapping_of_plate(plate_id, during) if rival.id != apart_from]
    booked = [rival.id for rival in rivals if rival.kind == "reservation" and rival.state != "held"]
    if motorist_id in owners(booked):
        raise PlateBusy
    if booked:
        open_task("plate_claimed_by_two_accounts", "plate", plate_id, place=place_of(lot_id))
    return not rivals
