"""Waiting for a bay of a full lot: joining, leaving, and answering an offer."""

import uuid
from datetime import datetime

from app.domain.arrears.queries import refuse_owing
from app.domain.claims import actions as claims
from app.domain.claims.queries import claim_by_id, open_and_free, overlapping_of_plate
from app.domain.conduct.queries import refuse_suspended
from app.domain.lots import queries as lots
from app.domain.motorists.queries import agreement_signed, vehicle_of
from app.domain.reservations.actions.keep import keep_offer
from app.domain.reservations.actions.locks import lock_motorist
from app.domain.reservations.actions.offer import ask_to_offer, settle_entries_of
from app.domain.reservations.actions.reserve import open_lot
from app.domain.reservations.models import Reservation, WaitlistEntry
from app.domain.reservations.queries import live_count, lot_of_claim, owners
from app.domain.reservations.queries.waitlist import open_entries, own_entry
from app.domain.reservations.rules import (
    WAITLIST,
    AlreadyWaiting,
    LotHasRoom,
    TooLateToWait,
    TooManyReservations,
    TooManyWaiting,
    check_movement,
    checked_span,
    is_too_late_to_wait,
)
from app.kernel import clock
from app.kernel.db import refusing, transaction
from app.kernel.states import WrongState


def join(
    motorist_id: int, vehicle_key: uuid.UUID, lot_key: uuid.UUID, begins_at: datetime, ends_at: datetime
) -> WaitlistEntry:
    """Wait for a bay of a full lot for [begins_at, ends_at). Who joined first is asked first.

    Refuses `ReservationsSuspended`, `ArrearsOwed`, `AgreementNotSigned`, `VehicleNotFound`, `LotNotFound`,
    `LotSuspended`, the span refusals of `rules`, `TooLateToWait`, `OutsideOpenHours`, `LotHasRoom`, `PlateBusy` when
    the motorist has reserved for that time, `AlreadyWaiting`, `TooManyWaiting`. A measure
    or a debt that comes later leaves the entry its place.
    """
    with transaction() as session:
        lock_motorist(motorist_id)
        refuse_suspended(motorist_id)
        refuse_owing(motorist_id)
        agreement_signed(motorist_id)
        vehicle, lot, now = vehicle_of(motorist_id, vehicle_key), open_lot(lot_key), clock.now()
        policy = lots.policy_of(lot.id)
        during = checked_span(begins_at, ends_at, now, policy)
        if is_too_late_to_wait(begins_at, now, policy):
            raise TooLateToWait(minutes=policy["waitlist_ends_before_minutes"])
        check_movement(begins_at, ends_at, lots.curfew_of(lot.id))
        is_open, is_free = open_and_free(lot.id, during, now)
        if not is_open:
            raise claims.OutsideOpenHours
        if is_free:
            raise LotHasRoom
        if motorist_id in owners([rival.id for rival in overlapping_of_plate(vehicle.plate_id, during)]):
            raise claims.PlateBusy
        settle_entries_of(motorist_id)
        if len(open_entries(motorist_id)) >= policy["live_waitlist_entries"]:
            raise TooManyWaiting(limit=policy["live_waitlist_entries"])
        entry = WaitlistEntry(
            motorist_id=motorist_id, vehicle_id=vehicle.id, lot_id=lot.id, during=during, joined_at=now,
            state="waiting",
        )  # fmt: skip
        with refusing({"a_motorist_waits_once_for_a_time": AlreadyWaiting}):
            session.add(entry)
            WAITLIST.born(entry, "motorist", "join")
        return entry


def leave(motorist_id: int, key: uuid.UUID) -> WaitlistEntry:
    """Wait no longer. Refuses `WaitlistEntryNotFound`, and `WrongState` unless nothing was offered or answered yet."""
    with transaction():
        lock_motorist(motorist_id)
        entry = own_entry(motorist_id, key)
        WAITLIST.move(entry, "leave", "motorist")
        return entry


def accept(motorist_id: int, key: uuid.UUID) -> Reservation:
    """Take the bay that is kept: a reservation, confirmed at once.

    Refuses `WaitlistEntryNotFound`, `WrongState` when nothing is on offer, `HoldOver` when it was kept no longer,
    `ArrearsOwed`, `AgreementNotSigned`, `TooManyReservations`, `PlateBusy` when he has reserved elsewhere for then.
    """
    with transaction(), claims.waiting_briefly():
        lock_motorist(motorist_id)
        entry = own_entry(motorist_id, key)
        claim_id = _offered(entry)
        refuse_owing(motorist_id)
        limit = lots.policy_of(entry.lot_id)["live_reservations"]
        if live_count(motorist_id) >= limit:
            raise TooManyReservations(limit=limit)
        signature = agreement_signed(motorist_id)
        kept = keep_offer(motorist_id, entry.vehicle_id, signature.id, claim_by_id(claim_id))
        WAITLIST.move(entry, "accept", "motorist")
        return kept


def decline(motorist_id: int, key: uuid.UUID) -> WaitlistEntry:
    """Let the kept bay go, to whoever is next. Refuses `WaitlistEntryNotFound`, and `WrongState` without an offer."""
    with transaction(), claims.waiting_briefly():
        lock_motorist(motorist_id)
        entry = own_entry(motorist_id, key)
        claim = claim_by_id(_offered(entry))
        if claim.state == "held":
            claims.cancel(claim, "motorist")
        WAITLIST.move(entry, "decline", "motorist")
        ask_to_offer(lot_of_claim(claim.id))
        return entry


def _offered(entry: WaitlistEntry) -> int:
    if entry.state != "offered" or entry.offer_claim_id is None:
        raise WrongState(machine=WAITLIST.name, state=entry.state, event="answer")
    return entry.offer_claim_id
