"""What is due though its job was lost: lots not cared for, bays not looked for, emergencies that nobody looked at."""

from app.domain.adjustments.actions.apply import apply
from app.domain.adjustments.actions.offer import offer
from app.domain.adjustments.queries import pending, place_of, reviews_due, unsought
from app.domain.claims.actions import LotBusy
from app.domain.tasks.actions import open_task
from app.kernel import clock
from app.kernel.db import transaction


def apply_forgotten(limit: int = 100) -> int:
    """Care for lots whose adjustment nobody has applied yet, or taken back; returns for how many."""
    due = pending(limit)
    for adjustment_id, lot_id in due:
        apply(adjustment_id, lot_id)
    return len(due)


def offer_forgotten(limit: int = 100) -> int:
    """Look for bays near by for displaced motorists; returns for how many. A busy lot is asked again later."""
    due = unsought(limit)
    for displacement_id in due:
        try:
            offer(displacement_id)
        except LotBusy:
            continue
    return len(due)


def review_emergencies(limit: int = 100) -> int:
    """Ask a person whether an emergency without an end still is one; returns how many are new."""
    with transaction():
        due = reviews_due(clock.now(), limit)
        for adjustment_id in due:
            open_task("adjustment_review", "adjustment", adjustment_id, place=place_of(adjustment_id))
        return len(due)
