"""Telling people that an agreement ends."""

from datetime import timedelta
from typing import Final

from sqlalchemy.dialects.postgresql import insert

from app.domain.staff.rules import Place
from app.domain.tasks.actions import open_task, settle_tasks
from app.domain.units.models import AgreementReminder
from app.domain.units.queries import AGREEMENT, AgreementView, answered, unreminded
from app.kernel import clock
from app.kernel.db import affected, transaction

AHEAD: Final = {"ends_soon": timedelta(days=30), "ended": timedelta()}
TASKS: Final = {"ends_soon": "agreement_ends_soon", "ended": "agreement_ended"}


def remind_of_endings(limit: int = 100) -> int:
    """Open a task a month before an agreement's end, and one when it has come; each once. Returns how many.

    Nothing is asked for lots whose running is settled from the end on: by another agreement, or by the unit itself.
    A task whose lots all found somebody since then is closed.
    """
    opened = sum(_remind(each, kind) for kind, ahead in AHEAD.items() for each in unreminded(kind, ahead, limit))
    for agreement_id in answered(TASKS.values(), limit):
        _settle(agreement_id, *TASKS.values(), outcome="lots_are_run")
    return opened


def _remind(view: AgreementView, kind: str) -> int:
    agreement_id = view.agreement.id
    with transaction():
        reminder = insert(AgreementReminder).values(agreement_id=agreement_id, kind=kind, reminded_at=clock.now())
        if not affected(reminder.on_conflict_do_nothing()):
            return 0
        if kind == "ended":
            _settle(agreement_id, TASKS["ends_soon"], outcome="agreement_ended")
        open_task(
            TASKS[kind], AGREEMENT, agreement_id, {"unit_id": view.unit.id, "operator_id": view.operator.id},
            place=Place(view.unit.district_code, view.unit.id, frozenset({view.operator.id})), due_at=view.ends_at,
        )  # fmt: skip
        return 1


def _settle(agreement_id: int, *kinds: str, outcome: str) -> None:
    with transaction():
        for kind in kinds:
            settle_tasks(kind, AGREEMENT, agreement_id, outcome)
