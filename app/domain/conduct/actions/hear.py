"""A person reads what motorists say in their appeals."""

from sqlalchemy import select

from app.domain.conduct.models import Appeal
from app.domain.conduct.queries.seen import PAGE, SeenAppeal, appeals
from app.domain.staff.rules import Actor
from app.kernel import audit
from app.kernel.db import transaction


def hear(by: Actor, *, decided: bool = False, limit: int = PAGE) -> list[SeenAppeal]:
    """Appeals that wait for a decision, the oldest first; `decided`: those that have one.

    The words are a person's own: who read them is written down, once for each appeal and reading. Refuses
    `NotPermitted`, `NotFound`.
    """
    with transaction() as session:
        read = appeals(by, decided=decided, limit=limit)
        ids = session.scalars(select(Appeal.id).where(Appeal.key.in_([each.key for each in read])).order_by(Appeal.id))
        for appeal_id in ids.all():
            audit.record("conduct.hear", "appeal", appeal_id, by.label)
        return read
