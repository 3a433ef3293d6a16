"""What is kept of closed days by unit, held against the postings of their bills."""

from datetime import date
from typing import Final

from sqlalchemy import Date, bindparam, text

from app.kernel.db import transaction, unhurried
from payments.ledger.queries import Drift


def unit_drifts(since: date, limit: int = 100) -> list[Drift]:
    """Where what is kept of a unit since a day is not what its bills brought; empty when all is equal."""
    with transaction() as session:
        unhurried()
        return [Drift(*row) for row in session.execute(_DRIFTS, {"since": since, "at_most": limit})]


_DRIFTS: Final = text(
    """
    WITH true_turnover AS (
        SELECT * FROM unit_turnover(:since, (SELECT max(day) FROM unit_turnover_day), NULL)
    )
    SELECT day, account_id, kind || ' of unit ' || unit_id, kept.debit_fen - kept.credit_fen,
           made.debit_fen - made.credit_fen
    FROM (SELECT * FROM unit_turnover_daily WHERE day >= :since) kept
    FULL JOIN true_turnover made USING (day, unit_id, account_id, kind)
    WHERE (kept.debit_fen, kept.credit_fen, kept.postings)
          IS DISTINCT FROM (made.debit_fen, made.credit_fen, made.postings)
    ORDER BY 1, 2, 3 LIMIT :at_most
    """
).bindparams(bindparam("since", type_=Date))
