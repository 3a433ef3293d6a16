"""Checking a lot's facilities (N2.2.4): security, lighting, fire protection, with a photo, at intervals."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from app.domain.lots.actions.steps import lock_lot, take_step
from app.domain.lots.models import FacilityCheck
from app.domain.lots.queries.places import place_of
from app.domain.lots.queries.standing import last_check
from app.domain.staff.rules import Actor, permit
from app.kernel import audit, clock
from app.kernel.db import current, transaction
from app.kernel.files import Paper, keep
from app.kernel.refusals import Invalid


class CheckWrong(Invalid):
    """A sound check shows a photo, an unsound one says in words what is missing; none lies in the future."""

    code = "check_wrong"
    message = "检查合格须附照片，不合格须说明情况，检查时间不能晚于现在或早于上一次检查"


@dataclass(frozen=True)
class Found:
    """What somebody saw: whether security (安防), lighting (照明) and fire protection (消防) are in order."""

    security: bool
    lighting: bool
    fire: bool
    note: str = ""

    @property
    def is_sound(self) -> bool:
        """Whether all is in order."""
        return self.security and self.lighting and self.fire


def check_facilities(
    by: Actor, lot_key: uuid.UUID, found: Found, photo: Paper | None = None, checked_at: datetime | None = None
) -> FacilityCheck:
    """Record a check; an open lot whose facilities are not in order is suspended at once.

    Refuses `NotFound`, `CheckWrong`, `FileRefused`.
    """
    with transaction():
        lot = lock_lot(lot_key)
        permit(by, "lots.check_facilities", place_of(lot.id))
        row = _recorded(by, lot.id, found, photo, checked_at or clock.now())
        if lot.state == "open" and not found.is_sound:
            take_step(lot, "suspend", by, "设施检查不合格")
        return row


def _recorded(by: Actor, lot_id: int, found: Found, photo: Paper | None, at: datetime) -> FacilityCheck:
    before = last_check(lot_id)
    if at > clock.now() or (before is not None and at < before.checked_at):
        raise CheckWrong
    if (found.is_sound and photo is None) or not (found.is_sound or found.note.strip()):
        raise CheckWrong
    row = FacilityCheck(
        lot_id=lot_id, security=found.security, lighting=found.lighting, fire=found.fire, note=found.note.strip(),
        file_id=keep(photo, by.account_id).id if photo else None, checked_by=by.account_id, checked_at=at,
    )  # fmt: skip
    current().add(row)
    current().flush()
    audit.record("lots.check_facilities", "lot", lot_id, by.label, {"check_id": row.id, "sound": found.is_sound})
    return row
