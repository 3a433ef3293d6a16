"""What is due to the treasuries, which batches there are, and what has been due or on its way for too long."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    CompoundSelect,
    Date,
    DateTime,
    SelectBase,
    Text,
    bindparam,
    column,
    func,
    literal,
    select,
    text,
    union_all,
)  # fmt: skip
from sqlalchemy.dialects.postgresql import DATERANGE, Range

from app.kernel import clock
from app.kernel.db import current, transaction
from app.kernel.files import KeptPaper, StoredFile, told_of
from app.kernel.money import Fen
from app.kernel.refusals import NotFound
from payments.ledger.queries import open_days_before
from payments.payees.models import Payee
from payments.remittance.models import (
    RemittanceBatch,
    RemittanceBounce,
    RemittanceReceipt,
    RemittanceRefusal,
    RemittanceStep,
)  # fmt: skip
from payments.remittance.rules import GONE, MOVES, ON_ITS_WAY

PAGE: Final = 200
DAY: Final = timedelta(days=1)
RETURNED, REFUSED = "退汇凭证", "不予受理凭证"


class NoSuchBatch(NotFound):
    """No such remittance."""

    code = "no_such_remittance"
    message = "未找到该上缴批次"


class NoBatchPaper(NotFound):
    """Neither the bank gave this remittance back nor did the treasury refuse it."""

    code = "no_remittance_paper"
    message = "该上缴批次没有退汇或不予受理凭证"


@dataclass(frozen=True)
class BatchPaper:
    """A paper that ended a batch, the bank's or the treasury's: its number and day, and the file that is kept."""

    batch: uuid.UUID
    payee: str
    kind: str
    number: str
    on: date
    amount_fen: Fen
    file: KeptPaper


@dataclass(frozen=True)
class Due:
    """What a payee owes its treasury and has not sent; `ready_fen` may be proposed; days to `through` are final."""

    payee_id: int
    payee: str
    treasury_target: str
    item_code: str
    due_fen: Fen
    ready_fen: Fen
    oldest: date
    through: date | None


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


@dataclass(frozen=True)
class Late:
    """Money of one payee that has not moved since a day; `batch_id` where it lies in a batch that was sent."""

    payee_id: int
    fen: Fen
    since: date
    batch_id: int | None = None


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


def remittable_through(payee_id: int) -> date | None:
    """The last day that is final: it and all before are signed off, and closed in the books."""
    with transaction() as session:
        signed: date | None = session.scalar(select(func.signed_off_through(payee_id)))
        if signed is None:
            return None
        still_open = open_days_before(signed + DAY)
        return min(signed, still_open[0] - DAY) if still_open else signed


def first_unfinal(payee_id: int, days: Range[date]) -> date | None:
    """The first of these days that some merchant of a payee has not signed off, or that is open in the books."""
    with transaction() as session:
        told = func.unsigned_days(payee_id, bindparam("days", days, type_=DATERANGE))
        unsigned: date | None = session.scalar(select(func.lower(told)))
        still_open = [each for each in open_days_before(days.upper or date.max) if each in days]
        return min([*still_open, *([unsigned] if unsigned else [])], default=None)


def dues(*, payees: Collection[int] | None = None) -> list[Due]:
    """What each payee owes its treasury beyond what is in a batch that was sent, payees that owe nothing aside."""
    with transaction() as session:
        rows = session.execute(_DUE, {"until": date.max}).all()
        names = {
            each.id: each for each in session.scalars(select(Payee).where(Payee.id.in_([r.payee_id for r in rows])))
        }
        return [
            _due(names[row.payee_id], row.fen, row.oldest) for row in rows if payees is None or row.payee_id in payees
        ]


def overdue(day: date) -> list[Late]:
    """What was due on that day or earlier and is in no batch that was sent."""
    with transaction() as session:
        return [Late(row.payee_id, row.fen, row.oldest) for row in session.execute(_DUE, {"until": day}) if row.fen > 0]


def unreceived(before: datetime) -> list[Late]:
    """Batches that were sent before that moment, and which no treasury is known to have."""
    with transaction() as session:
        rows = session.execute(_UNRECEIVED, {"before": before})
        return [Late(row.payee_id, row.amount_fen, row.on, row.id) for row in rows]


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


def sent_on(batch_id: int) -> date | None:
    """The day on which a batch was sent; none: it was not."""
    with transaction() as session:
        sent = session.scalar(select(RemittanceStep.at).filter_by(batch_id=batch_id, state="sent"))
        return None if sent is None else clock.business_day(sent)


def papers(*, payees: Collection[int] | None = None, limit: int = PAGE) -> list[BatchPaper]:
    """The papers by which banks gave batches back and treasuries refused them, the newest first."""
    paper = _PAPERS.subquery()
    wanted = (
        select(paper, RemittanceBatch.key, RemittanceBatch.amount_fen, Payee.name, StoredFile)
        .join(RemittanceBatch, RemittanceBatch.id == paper.c.batch_id)
        .join(Payee, Payee.id == RemittanceBatch.payee_id)
        .join(StoredFile, StoredFile.id == paper.c.file_id)
        .order_by(paper.c.recorded_at.desc())
        .limit(limit)
    )
    if payees is not None:
        wanted = wanted.where(RemittanceBatch.payee_id.in_(payees))
    with transaction() as session:
        return [
            BatchPaper(each.key, each.name, each.kind, each.number, each.on, each.amount_fen, told_of(each.StoredFile))
            for each in session.execute(wanted)
        ]


def paper_of(batch_id: int) -> int:
    """The id of the file with the paper that ended a batch. Refuses `NoBatchPaper`."""
    paper = _PAPERS.subquery()
    with transaction() as session:
        found = session.scalar(select(paper.c.file_id).where(paper.c.batch_id == batch_id))
        if found is None:
            raise NoBatchPaper
        return int(found)


def _due(payee: Payee, fen: Fen, oldest: date) -> Due:
    ready = int(current().scalars(_READY, {"payee": payee.id}).one())
    target, item = payee.treasury_target or "", payee.item_code or ""
    return Due(payee.id, payee.name, target, item, fen, ready, oldest, remittable_through(payee.id))


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


def _paper(kind: str, of: type[RemittanceBounce | RemittanceRefusal], on: ColumnElement[date]) -> SelectBase:
    return select(literal(kind).label("kind"), of.batch_id, of.number, on.label("on"), of.file_id, of.recorded_at)


_PAPERS: Final[CompoundSelect[Any]] = union_all(
    _paper(RETURNED, RemittanceBounce, column("returned_on", Date)),
    _paper(REFUSED, RemittanceRefusal, column("refused_on", Date)),
)
_READY: Final = text(
    """
    WITH signed AS MATERIALIZED (SELECT remittable_days(:payee) AS days)
    SELECT coalesce(sum(fen), 0)::bigint FROM signed, due_on(:payee, signed.days)
    """
)
_DUE: Final = text(
    """
    WITH gone AS (
        SELECT payee_id, range_agg(days) AS days FROM remittance_batch WHERE state = ANY(:gone)
        GROUP BY payee_id
    ), known AS MATERIALIZED (
        SELECT account.id, account.payee_id, coalesce(gone.days, '{}') AS days, (
            SELECT min(posted_on) FROM journal WHERE journal.payee_id = account.payee_id
        ) AS first
        FROM account LEFT JOIN gone USING (payee_id) WHERE code = 'due_to_treasury'
    ), since AS MATERIALIZED (
        SELECT known.*, CASE WHEN lower(days) <= first THEN (
            SELECT upper(span) FROM unnest(days) AS span LIMIT 1
        ) ELSE first END AS since
        FROM known
    )
    SELECT since.payee_id, due.fen, due.oldest
    FROM since CROSS JOIN LATERAL (
        SELECT -sum(posting.amount_fen)::bigint AS fen, min(journal.posted_on) AS oldest
        FROM journal JOIN posting ON posting.journal_id = journal.id AND posting.account_id = since.id
        WHERE journal.payee_id = since.payee_id AND journal.posted_on BETWEEN since.since AND :until
          AND NOT since.days @> journal.posted_on AND journal.kind <> ALL(:moves)
    ) AS due
    WHERE due.fen <> 0 ORDER BY since.payee_id
    """
).bindparams(
    bindparam("until", type_=Date),
    bindparam("moves", list(MOVES), type_=ARRAY(Text)),
    bindparam("gone", list(GONE), type_=ARRAY(Text)),
)
"""What is due was posted on days that no batch which was sent has; those at the beginning are passed over at once."""
_UNRECEIVED: Final = text(
    """
    SELECT batch.id, batch.payee_id, batch.amount_fen, (step.at AT TIME ZONE 'Asia/Shanghai')::date AS on
    FROM remittance_batch batch JOIN remittance_step step ON step.batch_id = batch.id AND step.state = 'sent'
    WHERE batch.state = ANY(:on_their_way) AND step.at < :before ORDER BY batch.id
    """
).bindparams(
    bindparam("before", type_=DateTime(timezone=True)),
    bindparam("on_their_way", list(ON_ITS_WAY), type_=ARRAY(Text)),
)
