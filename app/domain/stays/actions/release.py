"""Bays that were given at the gate to cars which then did not drive in."""

from app.domain.claims.actions import leave
from app.domain.claims.queries import claim_by_id
from app.domain.stays.queries import has_stay, never_passed
from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.rounds import each_alone


def release_unpassed(limit: int = 100) -> int:
    """Free them; returns how many."""
    return each_alone(never_passed(limit), _release)


def _release(claim_id: int) -> bool:
    """Asked again with the claim locked: the car may have passed since."""
    with transaction():
        claim = claim_by_id(claim_id)
        if claim.state != "in_use" or has_stay(claim_id):
            return False
        leave(claim, clock.now())
        return True
