"""The rows that whoever promises something to a motorist holds first."""

from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import Range

from app.domain.claims.actions import PlateBusy, lock_plate
from app.domain.claims.queries import overlapping_of_plate
from app.domain.lots.queries import place_of
from app.domain.motorists.models import Motorist
from app.domain.reservations.queries import owners
from app.domain.tasks.actions import open_task
from app.kernel.db import current


def lock_motorist(motorist_id: int) -> None:
    """One motorist's requests queue here, so that a limit counted in the transaction holds."""
    current().execute(_MOTORIST, {"motorist_id": motorist_id})


_MOTORIST: Final = select(Motorist.id).where(Motorist.id == bindparam("motorist_id")).with_for_update(key_share=True)


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
