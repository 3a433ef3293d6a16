"""Who did what to what: an append-only record written in the transaction of the deed itself."""

from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import CTE, ColumnElement, DateTime, Index, Table, Text, bindparam, func, insert, literal, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel import clock
from app.kernel.base import Base, Id
from app.kernel.prepared import Prepared
from app.kernel.trace import request_id

DATABASE: Final = "database"
"""Who acts in what the triggers on the tables of the money write down, with the database's own time."""


class AuditEntry(Base):
    """One deed (审计记录). Personal data appears here only as ids."""

    __tablename__ = "audit_entry"
    id: Mapped[Id]
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    subject_id: Mapped[int]
    detail: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    request_id: Mapped[str]
    transaction_id: Mapped[int] = mapped_column(server_default=func.txid_current())
    __table_args__ = (
        Index("ix_audit_entry_subject", "subject", "subject_id"),
        Index("ix_audit_entry_transaction_id", "transaction_id"),
    )


def record(
    action: str,
    subject: str,
    subject_id: int,
    actor: str,
    detail: dict[str, Any] | None = None,
) -> None:
    """Write one deed into the running transaction; `detail` holds ids and numbers only."""
    _WRITE.tell(
        at=clock.now(), actor=actor, action=action, subject=subject, subject_id=subject_id, detail=detail or {},
        request_id=request_id.get(),
    )  # fmt: skip


def recorded(
    action: str, subject: str, subject_id: ColumnElement[int], actor: ColumnElement[str], detail: ColumnElement[Any]
) -> CTE:
    """For a statement that changes rows: a deed for each of them, with it. It is told `at` and `request_id`."""
    told: dict[str, ColumnElement[Any]] = {
        "at": bindparam("at", type_=DateTime(timezone=True)), "actor": actor, "action": literal(action),
        "subject": literal(subject), "subject_id": subject_id, "detail": detail,
        "request_id": bindparam("request_id", type_=Text),
    }  # fmt: skip
    return insert(cast("Table", AuditEntry.__table__)).from_select(list(told), select(*told.values())).cte("deeds")


_NAMED: Final = ("at", "actor", "action", "subject", "subject_id", "request_id")
_WRITE: Final = Prepared(
    insert(cast("Table", AuditEntry.__table__))
    .values({**{name: bindparam(name) for name in _NAMED}, "detail": bindparam("detail", type_=JSONB)})
    .inline()
)
