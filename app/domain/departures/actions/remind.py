"""Reminding motorists to leave in time, and writing down who did not."""

from sqlalchemy.dialects.postgresql import insert

from app.domain.conduct.actions import note
from app.domain.departures.models import Reminder
from app.domain.departures.queries import Overstayed, overstayed, reminder_due, stays_to_remind
from app.domain.departures.rules import TITLES, body_of, push_of
from app.domain.messages.actions import tell
from app.kernel import clock
from app.kernel.db import affected, transaction
from app.kernel.rounds import each_alone


def remind(limit: int = 200) -> int:
    """Remind whoever is parked before, when and after their lot closes; returns how many were reminded.

    Each kind comes at most once a stay. Who comes late finds only the newest due: nobody is told at eight that an
    hour is left. Several may run at once.
    """
    return each_alone(stays_to_remind(limit), _remind)


def _remind(stay_id: int) -> bool:
    """One stay, one transaction: asked again with the stay locked, the car may have left since."""
    with transaction():
        due = reminder_due(stay_id)
        if due is None:
            return False
        row = insert(Reminder).values(
            stay_id=stay_id, kind=due.kind, closes_at=due.closes_at, reminded_at=clock.now()
        )  # fmt: skip
        if affected(row.on_conflict_do_nothing(constraint="a_stay_is_reminded_once_of_a_kind")) == 0:
            return False
        tell(
            due.motorist_id, f"leaving_{due.kind}", f"stay:{stay_id}", TITLES[due.kind],
            body_of(due.kind, due.lot_name, due.closes_at),
            push_of(due.kind, due.lot_name, due.closes_at, clock.now()),
        )  # fmt: skip
        return True


def note_overstays(limit: int = 200) -> int:
    """Write down who drove out when the grace after closing (`overstay_grace_minutes`) was over; returns how many."""
    return sum(_note(late) for late in overstayed(limit))


def _note(late: Overstayed) -> bool:
    evidence = {"until": late.until.isoformat(), "exited_at": late.exited_at.isoformat()}
    return note("overstay", late.motorist_id, late.lot_id, "stay", late.stay_id, evidence, late.exited_at)
