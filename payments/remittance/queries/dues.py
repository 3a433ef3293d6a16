"""What is due to the treasuries, which days may be remitted, and what has been due or on its way for too long."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import ARRAY, Date, DateTime, Text, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import DATERANGE, Range

from app.kernel.db import current, transaction
from app.kernel.money import Fen
from payments.ledger.queries import open_days_before
from payments.payees.models import Payee
from payments.remittance.queries.batches import DAY
from payments.remittance.rules import GONE, MOVES, ON_ITS_WAY


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
class Late:
    """Money of one payee that has not moved since a day; `batch_id` where it lies in a batch that was sent."""

    payee_id: int
    fen: Fen
    since: date
    batch_id: int | None = None


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


def _due(payee: Payee, fen: Fen, oldest: date) -> Due:
    ready = int(current().scalars(_READY, {"payee": payee.id}).one())
    target, item = payee.treasury_target or "", payee.item_code or ""
    return Due(payee.id, payee.name, target, item, fen, ready, oldest, remittable_through(payee.id))


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
          AND NOT since.days @> journal.posted_on AND counted_kind(journal) <> ALL(:moves)
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
