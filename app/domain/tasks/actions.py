"""Opening what a person must decide."""

from typing import Any

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from app.domain.tasks.models import Task
from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.ids import new_key


def open_task(kind: str, subject: str, subject_id: int, detail: dict[str, Any] | None = None) -> Task:
    """Ask a person to look at a row; a second call while the first is open returns the first.

    `detail` holds ids and numbers, never personal data.
    """
    with transaction() as session:
        same = {"kind": kind, "subject": subject, "subject_id": subject_id}
        session.execute(
            insert(Task)
            .values(**same, key=new_key(), detail=detail or {}, opened_at=clock.now())
            .on_conflict_do_nothing(
                index_elements=["kind", "subject", "subject_id"], index_where=text("closed_at IS NULL")
            )
        )
        return session.scalars(select(Task).filter_by(**same, closed_at=None)).one()
