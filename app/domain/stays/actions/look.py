"""Somebody looks at a passage, which names a plate: the log says who."""

from app.domain.staff.rules import Actor
from app.domain.stays.queries.seen import PassageView, passage
from app.kernel import audit
from app.kernel.db import transaction


def look_at(by: Actor, event_id: int) -> PassageView:
    """One passage by its event's number. Refuses `NotFound`, `NotPermitted`."""
    with transaction():
        seen = passage(by, event_id)
        audit.record("stays.see_passages", "gate_event", event_id, by.label)
        return seen
