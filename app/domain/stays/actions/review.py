"""Cars that never seem to leave: no bill grows for ever."""

from app.domain.lots.queries import place_of
from app.domain.stays.queries import staying_too_long
from app.domain.tasks.actions import open_task
from app.kernel.db import transaction


def review_long_stays(limit: int = 100) -> int:
    """Ask a person to look at each car that has been inside longer than a stay is billed; returns how many are new."""
    with transaction():
        long = staying_too_long(limit)
        for stay_id, lot_id in long:
            open_task("stay_too_long", "stay", stay_id, place=place_of(lot_id))
        return len(long)
