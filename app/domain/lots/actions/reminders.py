"""Asking people to check again what must be checked at intervals: facilities (N2.2.4) and named persons (N5.4)."""

from collections.abc import Sequence

from app.domain.lots.queries.due import contacts_due, facilities_due
from app.domain.lots.queries.places import place_of
from app.domain.tasks.actions import open_task, settle_tasks
from app.domain.tasks.queries import open_subjects
from app.kernel.db import transaction

CONTACTS, FACILITIES = "lot_contacts_due", "lot_facilities_due"


def remind_of_checks(limit: int = 100) -> int:
    """Open a task for each lot whose contacts are missing or old, and one where its facilities are; each once.

    A task whose cause is gone is closed. Returns how many were opened.
    """
    with transaction():
        return _remind(CONTACTS, contacts_due(), limit) + _remind(FACILITIES, facilities_due(), limit)


def _remind(kind: str, due: Sequence[int], limit: int) -> int:
    known = open_subjects(kind, "lot")
    for lot_id in known - set(due):
        settle_tasks(kind, "lot", lot_id, "已核对")
    fresh = [lot_id for lot_id in due if lot_id not in known][:limit]
    for lot_id in fresh:
        open_task(kind, "lot", lot_id, place=place_of(lot_id))
    return len(fresh)
