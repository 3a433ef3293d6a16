"""Every journal of every kind held against what happened: what must be there is, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Final

from sqlalchemy import Date, DateTime, bindparam, text

from app.kernel.clock import SHANGHAI
from app.kernel.db import current, transaction, unhurried
from app.kernel.money import Fen
from payments.ledger.rules import Line, intent
from payments.parity.queries.bank import BANK
from payments.parity.queries.charges import EARNINGS, PAYMENTS
from payments.parity.queries.refunds import REFUNDS
from payments.parity.queries.remittances import REMITTANCES
from payments.parity.queries.signed_days import SIGNED_DAYS
from payments.parity.queries.source import ONE, POSTED_SINCE, expected
from payments.parity.queries.suspense import SUSPENSE

SOURCES: Final = (PAYMENTS, REFUNDS, EARNINGS, REMITTANCES, SIGNED_DAYS, SUSPENSE, BANK)
BEGINNING: Final = date(2026, 1, 1)
"""No money moved before the notice."""


@dataclass(frozen=True)
class Difference:
    """One line that the books should have and have not (`expected`), or have and should not (`posted`), in fen."""

    what: str
    kind: str
    reference: str
    payee_id: int
    account: str
    amount_fen: Fen


@dataclass(frozen=True)
class Owed:
    """What an event comes to in its payee's books: for each account that it moves how much, a debit positive."""

    payee_id: int
    moved: Mapping[str, Fen]


def differences(since: date, limit: int = 100) -> list[Difference]:
    """Every line in which books and events differ, of all that moved on that day or later; empty: none.

    Whatever was posted since then counts too, of whatever kind: a journal that no event explains is found, one in
    another payee's books, and one whose lines are not those that it was meant to have (`altered`).
    """
    begins = datetime.combine(max(since, BEGINNING), time(), SHANGHAI)
    with transaction() as session:
        unhurried()
        rows = session.execute(_COMPARED, {"begins": begins, "since": since, "at_most": limit})
        return [Difference(*row) for row in rows] + _altered(since)[:limit]


def owed(kind: str, reference: str) -> Owed | None:
    """The lines of the journal of that kind which what is referred to must have; none: it has no such journal."""
    with transaction() as session:
        unhurried()
        never = datetime.max.replace(tzinfo=UTC)
        rows = session.execute(_OWED, {"kind": kind, "reference": reference, "begins": never}).all()
        return Owed(rows[0].payee_id, {each.code: each.fen for each in rows}) if rows else None


def _altered(since: date) -> list[Difference]:
    found = []
    for row in current().execute(_JOURNALS, {"since": since}, execution_options={"yield_per": 2_000}):
        lines = [Line(code, fen) for code, fen in row.lines]
        if intent(row.kind, row.business_ref, row.payee_id, lines) != row.intent_hash:
            found.append(Difference("altered", row.kind, row.business_ref, row.payee_id, "", 0))
    return found


_JOURNALS: Final = text(
    """
    SELECT journal.kind, business_ref, journal.payee_id, intent_hash,
           jsonb_agg(jsonb_build_array(code, amount_fen) ORDER BY posting.id) AS lines
    FROM journal JOIN posting ON posting.journal_id = journal.id JOIN account ON account.id = posting.account_id
    WHERE posted_on >= :since GROUP BY journal.id
    """
).bindparams(bindparam("since", type_=Date))

_MENDED: Final = """
    corrected AS (
        SELECT wrong.id, wrong.kind, wrong.business_ref AS ref
        FROM correction JOIN journal wrong ON wrong.id = journal_id WHERE correction.state = 'accepted'
    ), mended AS (
        SELECT journal.id, corrected.kind, ref FROM corrected JOIN journal ON reverses_id = corrected.id
        UNION ALL SELECT journal.id, corrected.kind, ref FROM corrected
        JOIN journal ON journal.kind = 'correction' AND business_ref = corrected.kind || '/' || ref
        UNION ALL SELECT journal.id, 'reversal', corrected.kind || '/' || ref FROM corrected
        JOIN journal ON journal.kind = 'reversal' AND business_ref = 'correction/' || corrected.kind || '/' || ref
    )"""
"""What two persons reversed and posted anew counts under the name of the journal that was wrong, and so does what takes
it back when its event comes to nothing.
"""
_POSTED: Final = """
    looked_at AS (
        SELECT kind, ref FROM expected
        UNION SELECT coalesce(mended.kind, journal.kind), coalesce(ref, business_ref)
        FROM journal LEFT JOIN mended USING (id) WHERE posted_on >= :since
    ), entered AS (
        SELECT id, kind, ref FROM looked_at JOIN mended USING (kind, ref)
        UNION ALL SELECT journal.id, journal.kind, ref FROM looked_at
        JOIN journal ON journal.kind = looked_at.kind AND business_ref = ref
        WHERE journal.id NOT IN (SELECT id FROM mended)
    ), posted AS (
        SELECT entered.kind, ref, posting.payee_id, code, sum(amount_fen)::bigint AS fen
        FROM entered JOIN posting ON journal_id = entered.id JOIN account ON account.id = account_id
        GROUP BY 1, 2, 3, 4 HAVING sum(amount_fen) <> 0
    )"""

_BEGINS: Final = bindparam("begins", type_=DateTime(timezone=True))
_OWED: Final = text(
    f"WITH {expected(SOURCES, ONE)} SELECT * FROM expected WHERE kind = :kind AND ref = :reference"  # noqa: S608 - made of the pieces of this folder and nothing else
).bindparams(_BEGINS)
_COMPARED: Final = text(
    f"""
    WITH {expected(SOURCES, POSTED_SINCE)}, {_MENDED}, {_POSTED}
    SELECT 'expected', * FROM (TABLE expected EXCEPT ALL TABLE posted) missing
    UNION ALL SELECT 'posted', * FROM (TABLE posted EXCEPT ALL TABLE expected) odd
    UNION ALL SELECT 'reserved', 'refund', 'payment:' || payment.id, payee_id, '', refund_reserved_fen
    FROM touched JOIN payment USING (id) WHERE refund_reserved_fen <> coalesce((
        SELECT sum(amount_fen) FROM refund WHERE payment_id = payment.id AND state NOT IN ('rejected', 'closed')
    ), 0)
    ORDER BY 3, 2, 4, 5, 1 LIMIT :at_most
    """  # noqa: S608 - made of the pieces of this folder and nothing else
).bindparams(_BEGINS, bindparam("since", type_=Date))
