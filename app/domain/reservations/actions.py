"""Reserving and cancelling; what sweepers do with promises that nobody kept."""

import uuid
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range

from app.domain.claims import actions as claims
from app.domain.claims.models import BayClaim
from app.domain.claims.queries import claim_by_id, missed, overlapping_of_plate, overstaying, promised_next
from app.domain.claims.rules import PASSING
from app.domain.gates.queries import reported_until
from app.domain.lots import queries as lots
from app.domain.lots.models import Lot
from app.domain.motorists.models import Motorist, Vehicle
from app.domain.motorists.queries import agreement_signed, vehicle_of
from app.domain.policies.queries import numbers
from app.domain.reservations.models import Cancellation, Reservation
from app.domain.reservations.queries import live_count, lot_of_claim, one_for, owners
from app.domain.reservations.rules import TooManyReservations, arrival_window, check_movement, checked_span, is_in_time
from app.domain.tasks.actions import open_task
from app.kernel import clock
from app.kernel.db import current, transaction
from app.kernel.queue import enqueue
from app.kernel.refusals import Conflict
from app.kernel.spans import bounds

LOOK_AHEAD = timedelta(minutes=15)
"""How long before an occupied bay's span ends it is stretched, and by how much."""


class LotSuspended(Conflict):
    """The lot takes no reservations at present."""

    code = "lot_suspended"
    message = "该停车场暂停开放"


def reserve(
    motorist_id: int, vehicle_key: uuid.UUID, lot_key: uuid.UUID, begins_at: datetime, ends_at: datetime
) -> Reservation:
    """Promise this motorist a bay of a lot for [begins_at, ends_at); confirmed at once (N2.2.3).

    Refuses `AgreementNotSigned`, `VehicleNotFound`, `LotNotFound`, `LotSuspended`, the span refusals
    of `rules`, `TooManyReservations`, and the guard's own: `LotFull`, `PlateBusy`, `OutsideOpenHours`,
    `LotBusy`. Nothing is left behind by a refusal.
    """
    with transaction() as session:
        _lock_motorist(motorist_id)
        signature = agreement_signed(motorist_id)
        vehicle = vehicle_of(motorist_id, vehicle_key)
        lot = _open_lot(lot_key)
        policy = numbers(lot_id=lot.id, unit_id=lot.unit_id)
        during = checked_span(begins_at, ends_at, clock.now(), policy)
        check_movement(begins_at, ends_at, lots.curfew_of(lot.id))
        if live_count(motorist_id) >= policy["live_reservations"]:
            raise TooManyReservations(limit=policy["live_reservations"])
        claim = _claim_for(motorist_id, lot, vehicle, during, arrival_window(begins_at, ends_at, policy))
        reservation = Reservation(
            motorist_id=motorist_id, vehicle_id=vehicle.id, lot_id=lot.id, claim_id=claim.id,
            agreement_signature_id=signature.id, begins_at=begins_at, ends_at=ends_at, made_at=clock.now(),
        )  # fmt: skip
        session.add(reservation)
        session.flush()
        enqueue("gates.refresh_whitelist", lot_id=lot.id)
        return reservation


def _lock_motorist(motorist_id: int) -> None:
    """One motorist's requests queue here, so that a limit counted in the transaction holds."""
    current().execute(select(Motorist.id).where(Motorist.id == motorist_id).with_for_update(key_share=True))


def _open_lot(key: uuid.UUID) -> Lot:
    lot = lots.lot_by_key(key)
    if lot.state != "open":
        raise LotSuspended
    return lot


def _claim_for(
    motorist_id: int, lot: Lot, vehicle: Vehicle, during: Range[datetime], admit: Range[datetime]
) -> BayClaim:
    """Claim a bay for the plate. Somebody else's booking of the same plate cannot stand in its owner's way.

    Nor can a car parked as a walk-in, whose claim reaches as far as it might stay, nor a bay that is only on offer.
    """
    claims.lock_plate(vehicle.plate_id)
    rivals = overlapping_of_plate(vehicle.plate_id, during)
    booked = [rival.id for rival in rivals if rival.kind == "reservation" and rival.state != "held"]
    if motorist_id in owners(booked):
        raise claims.PlateBusy
    if booked:
        open_task("plate_claimed_by_two_accounts", "plate", vehicle.plate_id, place=lots.place_of(lot.id))
    return claims.promise(lot.id, vehicle.plate_id, during, admit, exclusive_plate=not rivals)


def keep_offer(lost: Reservation, held: BayClaim) -> Reservation:
    """The motorist takes the bay held for him instead of the one he lost (N5.6), under the agreement he had signed.

    Both are locked by the caller. Refuses `HoldOver`, and `PlateBusy` when he has reserved elsewhere for that time.
    """
    with transaction() as session:
        rivals = overlapping_of_plate(session.get_one(Vehicle, lost.vehicle_id).plate_id, held.during)
        if lost.motorist_id in owners([rival.id for rival in rivals if rival.id != held.id]):
            raise claims.PlateBusy
        claims.confirm(held)
        begins_at, ends_at = bounds(held.during)
        reservation = Reservation(
            motorist_id=lost.motorist_id, vehicle_id=lost.vehicle_id, lot_id=lot_of_claim(held.id), claim_id=held.id,
            agreement_signature_id=lost.agreement_signature_id, begins_at=begins_at, ends_at=ends_at,
            made_at=clock.now(),
        )  # fmt: skip
        session.add(reservation)
        session.flush()
        enqueue("gates.refresh_whitelist", lot_id=reservation.lot_id)
        return reservation


def cancel(motorist_id: int, reservation_key: uuid.UUID) -> Cancellation:
    """Give the bay back. Refuses `ReservationNotFound`, and `WrongState` once the car is in or the promise over."""
    with transaction() as session:
        _lock_motorist(motorist_id)
        reservation = one_for(motorist_id, reservation_key).reservation
        claims.cancel(claim_by_id(reservation.claim_id), "motorist")
        lot = session.get_one(Lot, reservation.lot_id)
        now = clock.now()
        cancellation = Cancellation(
            reservation_id=reservation.id, cancelled_at=now,
            in_time=is_in_time(reservation.begins_at, now, numbers(lot_id=lot.id, unit_id=lot.unit_id)),
        )  # fmt: skip
        session.add(cancellation)
        enqueue("gates.refresh_whitelist", lot_id=lot.id)
        return cancellation


def release_missed(limit: int = 100) -> int:
    """Free the bays of cars that did not come in time; returns how many. Safe to run anywhere at any time."""
    return sum(_release(claim_id) for claim_id in missed(clock.now(), PASSING, limit))


def _release(claim_id: int) -> bool:
    """One claim, one transaction: asked again with the claim locked, the car may have driven in since."""
    with transaction():
        claim = claim_by_id(claim_id)
        lot_id = lot_of_claim(claim_id)
        if claim.state not in {"held", "confirmed"} or _may_have_come(claim, lot_id):
            return False
        claims.miss(claim)
        enqueue("gates.refresh_whitelist", lot_id=lot_id)
        return True


def _may_have_come(claim: BayClaim, lot_id: int) -> bool:
    """A gate that has not told all up to the end of the arrival window may have let the car in on its own."""
    told = reported_until(lot_id)
    _, ends_at = bounds(claim.during)
    return told is not None and told < claim.admit_until and clock.now() < ends_at


def follow_overstays(limit: int = 100) -> int:
    """Stretch the claims of cars that stay beyond their end, moving the promise behind them to another bay.

    Where no other bay is free a person must act: a task is opened. Returns how many were looked at.
    """
    late = overstaying(clock.now() + LOOK_AHEAD, limit)
    for claim_id in late:
        with transaction():
            claim = claim_by_id(claim_id)
            if claim.state == "in_use":
                _stretch(claim, clock.now() + 2 * LOOK_AHEAD)
    return len(late)


def _stretch(claim: BayClaim, until: datetime) -> None:
    if claims.stretch(claim, until):
        return
    behind = promised_next(claim, until)
    if behind is not None and claims.move_elsewhere(behind) and claims.stretch(claim, until):
        return
    open_task("overstay_displaces_a_promise", "bay_claim", claim.id, place=lots.place_of(lot_of_claim(claim.id)))
