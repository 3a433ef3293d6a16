"""Which batches there are, who took each step, and when they left and came."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects.postgresql import Range

from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.money import Fen
from app.kernel.refusals import NotFound
from payments.payees.models import Payee
from payments.remittance.models import RemittanceBatch, RemittanceReceipt, RemittanceStep

PAGE: Final = 200
DAY: Final = timedelta(days=1)


class NoSuchBatch(NotFound):
    """No such remittance."""

    code = "no_such_remittance"
    message = "未找到该上缴批次"


@dataclass(frozen=True)
class BatchView:
    """A batch as people see it; `last` is its last day.

    `left_on` is the day on which its bank paid it out, `received_on` that on which the treasury had it.

    `left_out` are days between its first and its last that are not part of it.
    """

    key: uuid.UUID
    payee: str
    treasury_target: str
    collecting_unit_code: str
    item_code: str
    first: date
    last: date
    left_out: str
    lines: int
    amount_fen: Fen
    state: str
    document_number: str | None
    made_by: str
    made_at: datetime
    left_on: date | None
    received_on: date | None


def batch(key: uuid.UUID) -> RemittanceBatch:
    """The batch by its public key. Refuses `NoSuchBatch`."""
    with transaction() as session:
        found = session.scalar(select(RemittanceBatch).filter_by(key=key).execution_options(populate_existing=True))
        if found is None:
            raise NoSuchBatch
        return found


def reference_of(found: RemittanceBatch) -> str:
    """By which name the books know a batch."""
    return f"remittance:{found.key}"


def batches(
    *, payees: Collection[int] | None = None, state: str | None = None, limit: int = PAGE
) -> list[BatchView]:  # fmt: skip
    """Batches, the newest first."""
    wanted = (
        select(RemittanceBatch, Payee.name, _DAYS.c.left_on, _DAYS.c.received_on)
        .join(Payee, Payee.id == RemittanceBatch.payee_id)
        .outerjoin(_DAYS, _DAYS.c.batch_id == RemittanceBatch.id)
        .order_by(RemittanceBatch.id.desc())
        .limit(limit)
    )
    if state is not None:
        wanted = wanted.where(RemittanceBatch.state == state)
    if payees is not None:
        wanted = wanted.where(RemittanceBatch.payee_id.in_(payees))
    with transaction() as session:
        return [_view(*row) for row in session.execute(wanted)]


def view(found: RemittanceBatch) -> BatchView:
    """One batch as people see it."""
    with transaction() as session:
        proved = session.execute(select(_DAYS).where(_DAYS.c.batch_id == found.id)).one_or_none()
        left_on, received_on = (proved.left_on, proved.received_on) if proved else (None, None)
        return _view(found, session.get_one(Payee, found.payee_id).name, left_on, received_on)


def steps_of(batch_id: int) -> Sequence[RemittanceStep]:
    """Who brought a batch into each of its states, when and why, the first one first."""
    with transaction() as session:
        return session.scalars(select(RemittanceStep).filter_by(batch_id=batch_id).order_by(RemittanceStep.id)).all()


def proposed_on(batch_id: int) -> date:
    """The day on which a batch was proposed."""
    with transaction() as session:
        first = select(RemittanceStep.at).filter_by(batch_id=batch_id).order_by(RemittanceStep.id).limit(1)
        return clock.business_day(session.scalars(first).one())


def sent_on(batch_id: int) -> date | None:
    """The day on which a batch was sent; none: it was not."""
    with transaction() as session:
        sent = session.scalar(select(RemittanceStep.at).filter_by(batch_id=batch_id, state="sent"))
        return None if sent is None else clock.business_day(sent)


def _view(found: RemittanceBatch, payee: str, left_on: date | None, received_on: date | None) -> BatchView:
    first, upper = found.days[0].lower, found.days[-1].upper
    assert first is not None
    assert upper is not None
    return BatchView(
        found.key, payee, found.treasury_target, found.collecting_unit_code, found.item_code, first,
        upper - DAY, _gaps(found.days), found.lines, found.amount_fen, found.state, found.document_number,
        found.made_by, found.made_at, left_on, received_on,
    )  # fmt: skip


def _gaps(days: Sequence[Range[date]]) -> str:
    """The days between the spans of a batch, in words."""
    gaps = [(one.upper, other.lower - DAY) for one, other in pairwise(days) if one.upper and other.lower]
    return "、".join(f"{first}" if first == last else f"{first}至{last}" for first, last in gaps)


def _day(where: ColumnElement[bool]) -> ColumnElement[date]:
    return func.min(RemittanceReceipt.received_on).filter(where)


_DAYS: Final = (
    select(
        RemittanceReceipt.batch_id,
        _day(RemittanceReceipt.statement_id.is_not(None)).label("left_on"),
        _day(RemittanceReceipt.number.is_not(None)).label("received_on"),
    )
    .group_by(RemittanceReceipt.batch_id)
    .subquery()
)
