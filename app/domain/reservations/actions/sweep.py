"""What becomes of promises that nobody kept, and of cars that stay beyond their time."""

from datetime import datetime, timedelta

from app.domain.claims import actions as claims
from app.domain.claims.models import BayClaim
from app.domain.claims.queries import claim_by_id, overstaying, promised_next
from app.domain.claims.rules import PASSING
from app.domain.conduct.actions import note
from app.domain.gates.queries import reported_until
from app.domain.lots import queries as lots
from app.domain.reservations.actions.offer import ask_to_offer
from app.domain.reservations.queries import lot_of_claim, of_claim
from app.domain.reservations.queries.missed import missed_promises
from app.domain.tasks.actions import open_task
from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.queue import enqueue
from app.kernel.rounds import each_alone
from app.kernel.spans import bounds

LOOK_AHEAD = timedelta(minutes=15)
"""How long before an occupied bay's span ends it is stretched, and by how much."""


def release_missed(limit: int = 100) -> int:
    """Free the bays of cars that did not come in time; returns how many. Safe to run anywhere at any time."""
    return each_alone(missed_promises(PASSING, limit), _release)


def _release(claim_id: int) -> bool:
    """One claim, one transaction: asked again with the claim locked, the car may have driven in since."""
    with transaction():
        claim = claim_by_id(claim_id)
        lot_id = lot_of_claim(claim_id)
        if claim.state not in {"held", "confirmed"} or _may_have_come(claim, lot_id):
            return False
        _note_no_show(claim)
        claims.miss(claim)
        enqueue("gates.refresh_whitelist", lot_id=lot_id)
        ask_to_offer(lot_id)
        return True


def _note_no_show(claim: BayClaim) -> None:
    """What was only on offer was promised to nobody, and nobody stayed away from it."""
    reservation = of_claim(claim.id) if claim.state == "confirmed" else None
    if reservation is None:
        return
    evidence = {
        "begins_at": reservation.begins_at.isoformat(), "admit_until": claim.admit_until.isoformat(),
        "bay_claim_id": claim.id,
    }  # fmt: skip
    note("no_show", reservation.motorist_id, reservation.lot_id, "reservation", reservation.id, evidence, clock.now())


def _may_have_come(claim: BayClaim, lot_id: int) -> bool:
    """A gate that has not told all up to the end of the arrival window may have let the car in on its own."""
    told = reported_until(lot_id)
    _, ends_at = bounds(claim.during)
    return told is not None and told < claim.admit_until and clock.now() < ends_at


def follow_overstays(limit: int = 100) -> int:
    """Stretch the claims of cars that stay beyond their end, moving the promise behind them to another bay.

    Where no other bay is free a person must act: a task is opened. Returns how many were looked at.
    """
    return each_alone(overstaying(clock.now() + LOOK_AHEAD, limit), _follow)


def _follow(claim_id: int) -> None:
    with transaction():
        claim = claim_by_id(claim_id)
        if claim.state == "in_use":
            _stretch(claim, clock.now() + 2 * LOOK_AHEAD)


def _stretch(claim: BayClaim, until: datetime) -> None:
    if claims.stretch(claim, until):
        return
    behind = promised_next(claim, until)
    if behind is not None and claims.move_elsewhere(behind) and claims.stretch(claim, until):
        return
    open_task("overstay_displaces_a_promise", "bay_claim", claim.id, place=lots.place_of(lot_of_claim(claim.id)))
