"""An incident is written down."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert

from app.domain.conduct.models import Incident
from app.kernel import clock
from app.kernel.db import current, transaction
from app.kernel.ids import new_key
from app.kernel.queue import enqueue


def note(
    kind: str, motorist_id: int, lot_id: int, subject: str, subject_id: int, evidence: Mapping[str, Any],
    at: datetime, noted_by: int | None = None,
) -> bool:  # fmt: skip
    """Write one incident about one row down, in the transaction of the deed itself; whether it is a new one.

    A plain insert that locks nothing, so it may stand anywhere in the lock order; what follows is a job's and a
    sweeper's affair. `evidence` holds ids, numbers, moments and sentences without personal data.
    """
    with transaction():
        row = insert(Incident).values(
            key=new_key(), kind=kind, motorist_id=motorist_id, lot_id=lot_id, subject=subject, subject_id=subject_id,
            evidence=dict(evidence), noted_by=noted_by, at=min(at, clock.now()), noted_at=clock.now(),
        )  # fmt: skip
        once = row.on_conflict_do_nothing(constraint="an_incident_is_noted_once").returning(Incident.id)
        incident_id = current().scalar(once)
        if incident_id is not None:
            enqueue("conduct.assess", incident_id=incident_id)
        return incident_id is not None
