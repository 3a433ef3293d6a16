"""What the program cannot decide is left to a person, once."""

from typing import Any

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

from app.kernel import clock
from app.kernel.db import current
from app.kernel.ids import new_key
from payments.charges.models import ExceptionCase


def open_case(kind: str, reference: str, severity: int, **detail: Any) -> None:
    """Leave a case in the running transaction; the same one again changes nothing. No personal data in it."""
    current().execute(
        insert(ExceptionCase)
        .values(
            key=new_key(), kind=kind, reference=reference, severity=severity, state="open",
            detail=detail, opened_at=clock.now(),
        )
        .on_conflict_do_nothing(constraint="a_case_is_opened_once")
    )  # fmt: skip


def resolve_case(case_id: int) -> None:
    """A person has dealt with it."""
    current().execute(update(ExceptionCase).where(ExceptionCase.id == case_id).values(state="resolved"))
