"""Telling people that an agreement ends."""

from datetime import timedelta
from typing import Final

from sqlalchemy.dialects.postgresql import insert

from app.domain.tasks.actions import open_task
from app.domain.units.models import AgreementReminder, OperatingAgreement
from app.domain.units.queries import unreminded
from app.kernel import clock
from app.kernel.db import affected, transaction

AHEAD: Final = {"ends_soon": timedelta(days=30), "ended": timedelta()}
TASKS: Final = {"ends_soon": "agreement_ends_soon", "ended": "agreement_ended"}


def remind_of_endings(limit: int = 100) -> int:
    """Open a task a month before an agreement's end, and one when it has come; each once. Returns how many.

    Nothing is asked for lots whose running is settled from the end on: by another agreement, or by the unit itself.
    """
    return sum(_remind(each, kind) for kind, ahead in AHEAD.items() for each in unreminded(kind, ahead, limit))


def _remind(agreement: OperatingAgreement, kind: str) -> int:
    with transaction():
        reminder = insert(AgreementReminder).values(agreement_id=agreement.id, kind=kind, reminded_at=clock.now())
        if not affected(reminder.on_conflict_do_nothing()):
            return 0
        detail = {"unit_id": agreement.unit_id, "operator_id": agreement.operator_id}
        open_task(TASKS[kind], "operating_agreement", agreement.id, detail)
        return 1
