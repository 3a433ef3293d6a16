"""What waits for whom."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, false, or_, select, true

from app.domain.staff.models import StaffAccount
from app.domain.staff.rules import Actor, Scope, ScopeKind, reach
from app.domain.tasks.models import Task
from app.kernel import clock
from app.kernel.db import transaction
from payments.charges.models import ExceptionCase

PAGE = 200


@dataclass(frozen=True)
class TaskView:
    """A task as people see it in a list; `owner` is a login."""

    key: uuid.UUID
    kind: str
    subject: str
    subject_id: int
    detail: dict[str, Any]
    opened_at: datetime
    due_at: datetime | None
    is_late: bool
    owner: str | None
    closed_at: datetime | None
    outcome: str | None


def tasks(
    by: Actor, *, mine: bool = False, closed: bool = False, kind: str | None = None, limit: int = PAGE
) -> list[TaskView]:  # fmt: skip
    """Open tasks within this person's scopes, what is due first on top; or the closed ones, the latest on top.

    Refuses `NotPermitted`.
    """
    with transaction() as session:
        wanted = select(Task, StaffAccount.login).outerjoin(StaffAccount, StaffAccount.id == Task.owner_id)
        wanted = wanted.where(_within(reach(by, "tasks.see")))
        if mine:
            wanted = wanted.where(Task.owner_id == by.account_id)
        if kind is not None:
            wanted = wanted.where(Task.kind == kind)
        if closed:
            wanted = wanted.where(Task.closed_at.is_not(None)).order_by(Task.closed_at.desc(), Task.id.desc())
        else:
            wanted = wanted.where(Task.closed_at.is_(None)).order_by(Task.due_at.asc().nulls_last(), Task.id)
        return [_view(task, login) for task, login in session.execute(wanted.limit(limit))]


def _within(scopes: Sequence[Scope]) -> ColumnElement[bool]:
    return or_(false(), *(_in_scope(scope) for scope in scopes))


def _in_scope(scope: Scope) -> ColumnElement[bool]:
    match scope.kind:
        case ScopeKind.CITY:
            return true()
        case ScopeKind.DISTRICT:
            return Task.district_code == scope.district_code
        case ScopeKind.UNIT:
            return Task.unit_id == scope.unit_id
        case ScopeKind.OPERATOR:
            return Task.operator_ids.contains([scope.operator_id])


def _view(task: Task, owner: str | None) -> TaskView:
    is_late = task.closed_at is None and task.due_at is not None and task.due_at < clock.now()
    return TaskView(
        task.key, task.kind, task.subject, task.subject_id, task.detail, task.opened_at, task.due_at, is_late, owner,
        task.closed_at, task.outcome,
    )  # fmt: skip


def open_subjects(kind: str, subject: str) -> set[int]:
    """The rows about which a task of this kind is open."""
    with transaction() as session:
        return set(session.scalars(select(Task.subject_id).filter_by(kind=kind, subject=subject, closed_at=None)))


def cases_without_task(limit: int) -> Sequence[ExceptionCase]:
    """Open exception cases of the money rooms that nobody was asked about, the gravest first."""
    asked = select(Task.id).where(
        Task.kind == ExceptionCase.kind, Task.subject == "exception_case", Task.subject_id == ExceptionCase.id,
        Task.closed_at.is_(None),
    )  # fmt: skip
    with transaction() as session:
        return session.scalars(
            select(ExceptionCase)
            .where(ExceptionCase.state == "open", ~asked.exists())
            .order_by(ExceptionCase.severity, ExceptionCase.id)
            .limit(limit)
        ).all()
