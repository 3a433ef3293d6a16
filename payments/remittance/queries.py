"""What is due to the treasuries, which batches there are, and what has been due or on its way for too long."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final

from sqlalchemy import ARRAY, Date, DateTime, Text, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import Range

from app.kernel import clock
from app.kernel.db import current, transaction
from app.kernel.files import KeptPaper, StoredFile, told_of
from app.kernel.money import Fen
from app.kernel.refusals import NotFound
from payments.ledger.queries import open_days_before
from payments.payees.models import Payee
from payments.remittance.models import RemittanceBatch, RemittanceBounce, RemittanceReceipt, RemittanceStep
from payments.remittance.rules import MOVES

PAGE: Final = 200
DAY: Final = timedelta(days=1)


class NoSuchBatch(NotFound):
    """No such remittance."""

    code = "no_such_remittance"
    message = "未找到该上缴批次"


class NoBouncePaper(NotFound):
    """The bank did not give this remittance back."""

    code = "no_bank_return_paper"
    message = "该上缴批次没有退汇凭证"


@dataclass(frozen=True)
class BouncePaper:
    """A paper of the bank's (退汇凭证): of which batch, its number, day and sum, and the file that is kept."""

    batch: uuid.UUID
    payee: str
    number: str
    returned_on: date
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
    """A batch as people see it; `last` is its last day, `received_on` the day on which the treasury had it.

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
        select(RemittanceBatch, Payee.name, RemittanceReceipt.received_on)
        .join(Payee, Payee.id == RemittanceBatch.payee_id)
        .outerjoin(RemittanceReceipt, RemittanceReceipt.batch_id == RemittanceBatch.id)
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
        proof = session.scalar(select(RemittanceReceipt).filter_by(batch_id=found.id))
        return _view(found, session.get_one(Payee, found.payee_id).name, proof.received_on if proof else None)


def steps_of(batch_id: int) -> Sequence[RemittanceStep]:
    """Who brought a batch into each of its states, when and why, the first one first."""
    with transaction() as session:
        return session.scalars(select(RemittanceStep).filter_by(batch_id=batch_id).order_by(RemittanceStep.id)).all()


def sent_on(batch_id: int) -> date | None:
    """The day on which a batch was sent; none: it was not."""
    with transaction() as session:
        sent = session.scalar(select(RemittanceStep.at).filter_by(batch_id=batch_id, state="sent"))
        return None if sent is None else clock.business_day(sent)


def bounce_papers(*, payees: Collection[int] | None = None, limit: int = PAGE) -> list[BouncePaper]:
    """The papers by which the bank gave batches back, the newest first."""
    wanted = (
        select(RemittanceBounce, RemittanceBatch.key, Payee.name, StoredFile)
        .join(RemittanceBatch, RemittanceBatch.id == RemittanceBounce.batch_id)
        .join(Payee, Payee.id == RemittanceBounce.payee_id)
        .join(StoredFile, StoredFile.id == RemittanceBounce.file_id)
        .order_by(RemittanceBounce.id.desc())
        .limit(limit)
    )
    if payees is not None:
        wanted = wanted.where(RemittanceBounce.payee_id.in_(payees))
    with transaction() as session:
        return [
            BouncePaper(key, payee, each.number, each.returned_on, each.amount_fen, told_of(file))
            for each, key, payee, file in session.execute(wanted)
        ]


def bounce_of(batch_id: int) -> RemittanceBounce:
    """What proves that the bank gave a batch back. Refuses `NoBouncePaper`."""
    with transaction() as session:
        found = session.scalar(select(RemittanceBounce).filter_by(batch_id=batch_id))
        if found is None:
            raise NoBouncePaper
        return found


def _due(payee: Payee, fen: Fen, oldest: date) -> Due:
    ready = int(current().scalars(_READY, {"payee": payee.id}).one())
    target, item = payee.treasury_target or "", payee.item_code or ""
    return Due(payee.id, payee.name, target, item, fen, ready, oldest, remittable_through(payee.id))


def _view(found: RemittanceBatch, payee: str, received_on: date | None) -> BatchView:
    first, upper = found.days[0].lower, found.days[-1].upper
    assert first is not None
    assert upper is not None
    return BatchView(
        found.key, payee, found.treasury_target, found.collecting_unit_code, found.item_code, first,
        upper - DAY, _gaps(found.days), found.lines, found.amount_fen, found.state, found.document_number,
        found.made_by, found.made_at, received_on,
    )  # fmt: skip


def _gaps(days: Sequence[Range[date]]) -> str:
    """The days between the spans of a batch, in words."""
    gaps = [(one.upper, other.lower - DAY) for one, other in pairwise(days) if one.upper and other.lower]
    return "、".join(f"{first}" if first == last else f"{first}至{last}" for first, last in gaps)


_READY: Final = text(
    """
    WITH signed AS MATERIALIZED (SELECT remittable_days(:payee) AS days)
    SELECT coalesce(sum(fen), 0)::bigint FROM signed, due_on(:payee, signed.days)
    """
)
_DUE: Final = text(
    """
    WITH gone AS (
        SELECT payee_id, range_agg(days) AS days FROM remittance_batch WHERE state IN ('sent', 'received')
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
).bindparams(bindparam("until", type_=Date), bindparam("moves", list(MOVES), type_=ARRAY(Text)))
"""What is due was posted on days that no batch which was sent has; those at the beginning are passed over at once."""
_UNRECEIVED: Final = text(
    """
    SELECT batch.id, batch.payee_id, batch.amount_fen, (step.at AT TIME ZONE 'Asia/Shanghai')::date AS on
    FROM remittance_batch batch JOIN remittance_step step ON step.batch_id = batch.id AND step.state = 'sent'
    WHERE batch.state = 'sent' AND step.at < :before ORDER BY batch.id
    """
).bindparams(bindparam("before", type_=DateTime(timezone=True)))
