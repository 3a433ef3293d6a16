"""What is due though its job was lost: lots not cared for, bays not looked for, emergencies that nobody looked at."""

from contextlib import suppress

from app.domain.adjustments.actions.apply import apply
from app.domain.adjustments.actions.offer import offer
from app.domain.adjustments.queries import pending, place_of, reviews_due, unsought
from app.domain.claims.actions import LotBusy
from app.domain.tasks.actions import open_task
from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.rounds import each_alone


def apply_forgotten(limit: int = 100) -> int:
    """Care for lots whose adjustment nobody has applied yet, or taken back; returns for how many."""
    return each_alone(pending(limit), lambda due: apply(*due))


def offer_forgotten(limit: int = 100) -> int:
    """Look for bays near by for displaced motorists; returns for how many. A busy lot is asked again later."""
    return each_alone(unsought(limit), _offer)


def _offer(displacement_id: int) -> None:
    with suppress(LotBusy):
        offer(displacement_id)


def review_emergencies(limit: int = 100) -> int:
    """Ask a person whether an emergency without an end still is one; returns how many are new."""
    with transaction():
        due = reviews_due(clock.now(), limit)
        for adjustment_id in due:
            open_task("adjustment_review", "adjustment", adjustment_id, place=place_of(adjustment_id))
        return len(due)
