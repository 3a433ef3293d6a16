"""A dispute over a stay is put on record by somebody of the lot or whoever answers complaints."""

import uuid

from sqlalchemy import select

from app.domain.conduct.actions import note
from app.domain.conduct.rules import said
from app.domain.lots.queries import place_of
from app.domain.staff.rules import Actor, permit
from app.domain.stays.models import Stay
from app.domain.stays.queries import StayNotFound
from app.kernel import audit, clock
from app.kernel.db import transaction
from app.kernel.files import Paper, keep
from app.kernel.refusals import Conflict


class StayOfNobody(Conflict):
    """The car came without a reservation and nobody scanned the barrier's code: no account answers for it."""

    code = "stay_of_nobody"
    message = "该停车记录未关联账户，无法记录纠纷"


class DisputeRecorded(Conflict):
    """A dispute over this stay is on record."""

    code = "dispute_recorded"
    message = "该停车记录已有纠纷记录"


def record_dispute(by: Actor, stay_key: uuid.UUID, told: str, paper: Paper) -> None:
    """Put a dispute over a stay on record against its motorist, with a document; at the exit, or now while it lasts.

    `told` is a sentence without personal data. Refuses `StayNotFound`, `WordsMissing`, `StayOfNobody`,
    `DisputeRecorded`, `FileRefused`.
    """
    with transaction() as session:
        stay = session.scalars(select(Stay).filter_by(key=stay_key)).one_or_none()
        if stay is None:
            raise StayNotFound
        permit(by, "stays.record_dispute", place_of(stay.lot_id))
        words = said(told)
        if stay.motorist_id is None:
            raise StayOfNobody
        file = keep(paper, by.account_id)
        evidence = {"told": words, "file_id": file.id, "file_sha256": file.sha256.hex()}
        at = stay.exited_at or clock.now()
        if not note("dispute", stay.motorist_id, stay.lot_id, "stay", stay.id, evidence, at, by.account_id):
            raise DisputeRecorded
        audit.record("stays.record_dispute", "stay", stay.id, by.label, {"file_id": file.id})
