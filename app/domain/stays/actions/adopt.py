"""Whoever scanned the barrier's screen stood there: the visit is theirs.

A plate typed into an account proves nothing, so it neither shows nor burdens anybody's stays.
"""

from sqlalchemy import select

from app.domain.motorists.models import Motorist
from app.domain.stays.actions.account import bill_for, due_now
from app.domain.stays.models import Stay
from app.domain.stays.queries import StayNotFound
from app.kernel import audit
from app.kernel.db import current, transaction
from app.kernel.ids import digest


def adopt(motorist_id: int, code: str) -> Stay:
    """Take a visit without an owner into one's account by the code of its barrier; again by the same person is no news.

    Refuses `StayNotFound` for an unknown code and for a visit that is somebody else's.
    """
    with transaction() as session:
        session.execute(select(Motorist.id).where(Motorist.id == motorist_id).with_for_update(key_share=True))
        stay = session.scalars(select(Stay).where(Stay.code_digest == digest(code)).with_for_update()).one_or_none()
        if stay is None or stay.motorist_id not in {None, motorist_id}:
            raise StayNotFound
        if stay.motorist_id is None:
            _take(stay, motorist_id)
        return stay


def _take(stay: Stay, motorist_id: int) -> None:
    stay.motorist_id = motorist_id
    current().flush()
    audit.record("stays.adopt", "stay", stay.id, f"motorist:{motorist_id}")
    if stay.state == "owing" and due_now(stay).due_fen:
        bill_for(stay)
