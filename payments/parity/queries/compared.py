"""Every journal of every kind held against what happened: what must be there is, and nothing else."""

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final

from sqlalchemy import Date, DateTime, bindparam, text

from app.kernel.clock import SHANGHAI
from app.kernel.db import current, transaction, unhurried
from app.kernel.money import Fen
from payments.ledger.rules import Line, intent
from payments.parity.queries.charges import EARNINGS, PAYMENTS
from payments.parity.queries.refunds import REFUNDS
from payments.parity.queries.remittances import REMITTANCES
from payments.parity.queries.signed_days import SIGNED_DAYS
from payments.parity.queries.source import expected
from payments.parity.queries.suspense import SUSPENSE

SOURCES: Final = (PAYMENTS, REFUNDS, EARNINGS, REMITTANCES, SIGNED_DAYS, SUSPENSE)
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

_COMPARED: Final = text(
    f"""
    WITH {expected(SOURCES)},
    looked_at AS (
        SELECT id FROM journal WHERE posted_on >= :since
        UNION SELECT journal.id FROM expected JOIN journal ON journal.kind = expected.kind AND business_ref = ref
    ), posted AS (
        SELECT journal.kind, business_ref AS ref, journal.payee_id, code, sum(amount_fen)::bigint AS fen
        FROM looked_at JOIN journal USING (id) JOIN posting ON posting.journal_id = journal.id
        JOIN account ON account.id = posting.account_id GROUP BY 1, 2, 3, 4
    )
    SELECT 'expected', * FROM (TABLE expected EXCEPT ALL TABLE posted) missing
    UNION ALL SELECT 'posted', * FROM (TABLE posted EXCEPT ALL TABLE expected) odd
    UNION ALL SELECT 'reserved', 'refund', 'payment:' || payment.id, payee_id, '', refund_reserved_fen
    FROM touched JOIN payment USING (id) WHERE refund_reserved_fen <> coalesce((
        SELECT sum(amount_fen) FROM refund WHERE payment_id = payment.id AND state NOT IN ('rejected', 'closed')
    ), 0)
    ORDER BY 3, 2, 4, 5, 1 LIMIT :at_most
    """  # noqa: S608 - made of the pieces of this folder and nothing else
).bindparams(bindparam("begins", type_=DateTime(timezone=True)), bindparam("since", type_=Date))
