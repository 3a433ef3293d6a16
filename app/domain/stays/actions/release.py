"""Bays that were given at the gate to cars which then did not drive in."""

from app.domain.claims.actions import leave
from app.domain.stays.queries import never_passed
from app.kernel import clock
from app.kernel.db import transaction


def release_unpassed(limit: int = 100) -> int:
    """Free them; returns how many."""
    with transaction():
        idle = never_passed(limit)
        for claim in idle:
            leave(claim, clock.now())
        return len(idle)
