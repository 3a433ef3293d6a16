"""Opening what a person must decide, taking it up, and closing it."""

import uuid
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert

from app.domain.staff.models import StaffAccount
from app.domain.staff.rules import CITY, Actor, Place, permit
from app.domain.tasks.models import Task
from app.domain.tasks.queries import cases_without_task
from app.kernel import audit, clock
from app.kernel.db import affected, current, transaction
from app.kernel.ids import new_key
from app.kernel.refusals import Conflict, Invalid, NotFound
from payments.charges.actions.cases import resolve_case

CASE: Final = "exception_case"
"""The subject of a task that the money rooms asked for."""
DUE_WITHIN: Final = {1: timedelta(hours=1), 2: timedelta(days=1), 3: timedelta(days=3)}
"""By the severity of a case: 1 is money at the wrong payee."""


class TaskTaken(Conflict):
    """Somebody else has taken this up."""

    code = "task_taken"
    message = "该待办已由他人领取"


class TaskClosed(Conflict):
    """It is decided, and stays so."""

    code = "task_closed"
    message = "该待办已办结"


class OutcomeMissing(Invalid):
    """Whoever closes a task says what came of it."""

    code = "outcome_missing"
    message = "请填写办理结果"


def open_task(
    kind: str, subject: str, subject_id: int, detail: dict[str, Any] | None = None, *,
    place: Place = CITY, due_at: datetime | None = None,
) -> Task:  # fmt: skip
    """Ask a person to look at a row; a second call while the first is open returns the first.

    `detail` holds ids and numbers, never personal data. `place` says where the row lies, and so who sees the task:
    without one, people of the whole city.
    """
    with transaction() as session:
        same = {"kind": kind, "subject": subject, "subject_id": subject_id}
        where = {
            "district_code": place.district_code,
            "unit_id": place.unit_id,
            "operator_ids": sorted(place.operator_ids),
        }
        session.execute(
            insert(Task)
            .values(**same, **where, key=new_key(), detail=detail or {}, opened_at=clock.now(), due_at=due_at)
            .on_conflict_do_nothing(
                index_elements=["kind", "subject", "subject_id"], index_where=text("closed_at IS NULL")
            )
        )
        return session.scalars(select(Task).filter_by(**same, closed_at=None)).one()


def settle_tasks(kind: str, subject: str, subject_id: int, outcome: str) -> int:
    """Close what is open of a kind about a row, because its cause is gone; returns how many were open."""
    same = (Task.kind == kind, Task.subject == subject, Task.subject_id == subject_id)
    with transaction():
        open_ones = update(Task).where(*same, Task.closed_at.is_(None))
        return affected(open_ones.values(closed_at=clock.now(), outcome=outcome))


def adopt_cases(limit: int = 100) -> int:
    """Ask a person of the city about each exception case (异常单) of the money rooms; returns how many were new."""
    with transaction():
        cases = cases_without_task(limit)
        for case in cases:
            told = {**case.detail, "severity": case.severity, "reference": case.reference}
            open_task(case.kind, CASE, case.id, told, due_at=case.opened_at + DUE_WITHIN[case.severity])
        return len(cases)


def take(by: Actor, task_key: uuid.UUID) -> None:
    """Take a task up: it is this person's from now on; taking one's own again changes nothing.

    What a person who left had taken may be taken by another. Refuses `TaskTaken` and `TaskClosed`.
    """
    with transaction():
        task = _locked(task_key)
        permit(by, "tasks.take", place_of(task))
        _refuse_unless_free(task, by)
        if task.owner_id != by.account_id:
            task.owner_id, task.taken_at = by.account_id, clock.now()
            audit.record("tasks.take", "task", task.id, by.label)


def close_task(by: Actor, task_key: uuid.UUID, outcome: str) -> None:
    """Say what came of a task, and be done with it. `outcome` is a sentence without personal data.

    Refuses `OutcomeMissing`, `TaskTaken` when it is another's, and `TaskClosed`.
    """
    with transaction():
        task = _locked(task_key)
        permit(by, "tasks.close", place_of(task))
        _refuse_unless_free(task, by)
        if not outcome.strip():
            raise OutcomeMissing
        task.closed_at, task.closed_by, task.outcome = clock.now(), by.account_id, outcome.strip()
        if task.subject == CASE:
            resolve_case(task.subject_id)
        audit.record("tasks.close", "task", task.id, by.label)


def place_of(task: Task) -> Place:
    """Where the row lies that a task is about."""
    return Place(task.district_code, task.unit_id, frozenset(task.operator_ids))


def _locked(task_key: uuid.UUID) -> Task:
    task = current().scalar(select(Task).filter_by(key=task_key).with_for_update())
    if task is None:
        raise NotFound
    return task


def _refuse_unless_free(task: Task, by: Actor) -> None:
    if task.closed_at is not None:
        raise TaskClosed
    if task.owner_id not in {None, by.account_id} and _is_here(task.owner_id):
        raise TaskTaken


def _is_here(account_id: int | None) -> bool:
    still = select(StaffAccount.id).filter_by(id=account_id, closed_at=None)
    return current().scalar(still) is not None
