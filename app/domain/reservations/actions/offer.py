"""Offering a bay that fell free to whoever waits for one, and what becomes of offers that nobody answers.

Level-triggered: whatever frees a bay - a cancellation, a car that did not come or left early, an offer that lapsed, a
closure that ended, more bays, longer hours - the question is only who waits and for whom a bay is free now. Jobs make
it prompt.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.dialects.postgresql import Range

from app.domain.claims import actions as claims
from app.domain.claims.models import BayClaim
from app.domain.claims.queries import claim_by_id
from app.domain.lots.models import Lot
from app.domain.lots.queries import curfew_of, policy_of
from app.domain.messages.actions import tell
from app.domain.motorists.models import Vehicle
from app.domain.reservations.actions.locks import lock_motorist, lock_plate_for
from app.domain.reservations.models import WaitlistEntry
from app.domain.reservations.queries.waitlist import (
    entries_to_settle,
    lots_with_a_bay_for_somebody,
    next_to_ask,
    open_entries,
    someone_waits,
    standing,
)
from app.domain.reservations.rules import (
    WAITLIST,
    MovementCurfew,
    arrival_window,
    check_movement,
    free_bay_text,
    is_too_late_to_wait,
    offer_lapsed_text,
    push_of,
    waited_in_vain_text,
)
from app.kernel import clock
from app.kernel.db import current, transaction
from app.kernel.queue import enqueue
from app.kernel.rounds import each_alone
from app.kernel.spans import bounds

NOT_NOW = (claims.LotFull, claims.LotBusy, claims.OutsideOpenHours, claims.PlateBusy, MovementCurfew)
"""Reasons for which a bay is not for this one at this moment: the next is asked, and this one again later."""


Words = Callable[[str, Range[datetime]], str]


def ask_to_offer(lot_id: int) -> None:
    """Let those who wait for a bay of the lot be asked soon, if anybody does."""
    if someone_waits(lot_id):
        enqueue("reservations.offer", lot_id=lot_id)


def offer_forgotten(limit: int = 100) -> int:
    """End what is over, and offer every bay that is free for somebody; returns how many were offered."""
    try:
        each_alone(entries_to_settle(limit), _settle_entries)
    finally:
        offered = each_alone(lots_with_a_bay_for_somebody(limit), offer_free_bays)
    return offered


def _settle_entries(motorist_id: int) -> None:
    with transaction():
        lock_motorist(motorist_id)
        settle_entries_of(motorist_id)


def offer_free_bays(lot_id: int) -> int:
    """Offer the free bays of a lot to those who wait, in the order in which they joined; returns how many."""
    passed_over: set[int] = set()
    offered = 0
    while (entry := next_to_ask(lot_id, passed_over)) is not None:
        if _offer(entry.motorist_id, entry.id):
            offered += 1
        else:
            passed_over.add(entry.id)
    return offered


def _offer(motorist_id: int, entry_id: int) -> bool:
    """One entry, one transaction: asked again with the entry locked."""
    try:
        with transaction() as session, claims.waiting_briefly():
            lock_motorist(motorist_id)
            entry = session.get_one(WaitlistEntry, entry_id, with_for_update=True)
            if entry.state != "waiting":
                return False
            lot = session.get_one(Lot, entry.lot_id)
            claim = _held(entry, lot)
            WAITLIST.move(entry, "offer", "reservations.offer", offer_claim_id=claim.id)
            assert claim.hold_expires_at is not None
            body = free_bay_text(lot.name, claim.during, claim.hold_expires_at)
            push = push_of("waitlist_offer", lot.name, bounds(claim.during)[0], claim.hold_expires_at)
            tell(motorist_id, "waitlist_offer", f"bay_claim:{claim.id}", "候补泊位已为您保留", body, push)
            return True
    except NOT_NOW:
        return False


def _held(entry: WaitlistEntry, lot: Lot) -> BayClaim:
    begins_at, ends_at = bounds(entry.during)
    check_movement(begins_at, ends_at, curfew_of(lot.id))
    policy = policy_of(lot.id)
    plate_id = current().get_one(Vehicle, entry.vehicle_id).plate_id
    is_alone = lock_plate_for(entry.motorist_id, plate_id, lot.id, entry.during)
    until = min(clock.now() + timedelta(minutes=policy["waitlist_offer_minutes"]), ends_at)
    admit = arrival_window(begins_at, ends_at, policy)
    return claims.hold(lot.id, plate_id, entry.during, admit, until, exclusive_plate=is_alone)


def settle_entries_of(motorist_id: int) -> None:
    """Write down which of a locked motorist's entries are over: not answered in time, or no bay fell free in time.

    An offer whose bay was taken back from the public waits on, in its old place.
    """
    for entry in open_entries(motorist_id):
        if entry.state == "offered":
            _settle_offer(entry)
        elif is_too_late_to_wait(bounds(entry.during)[0], clock.now(), policy_of(entry.lot_id)):
            WAITLIST.move(entry, "end", "sweeper")
            _tell_the_end(entry, "waitlist_over", "候补结束", waited_in_vain_text)


def _settle_offer(entry: WaitlistEntry) -> None:
    assert entry.offer_claim_id is not None
    claim = claim_by_id(entry.offer_claim_id)
    match standing(claim, clock.now()):
        case "waiting":
            WAITLIST.move(entry, "withdraw", "sweeper", offer_claim_id=None)
        case "lapsed":
            if claim.state == "held":
                claims.miss(claim)
            WAITLIST.move(entry, "lapse", "sweeper")
            _tell_the_end(entry, "waitlist_lapsed", "候补泊位已释放", offer_lapsed_text)


def _tell_the_end(entry: WaitlistEntry, kind: str, title: str, words: Words) -> None:
    lot = current().get_one(Lot, entry.lot_id)
    tell(entry.motorist_id, kind, f"waitlist_entry:{entry.id}", title, words(lot.name, entry.during))
