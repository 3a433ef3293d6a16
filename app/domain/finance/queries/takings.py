"""What was taken day by day: what is kept of closed days, and of others the postings themselves."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import ARRAY, BigInteger, Date, DateTime, RowMapping, bindparam, text

from app.domain.finance.rules import Figures, Recipient, Takings, Whose
from app.kernel.clock import SHANGHAI
from app.kernel.db import current
from payments.ledger.queries import closed_through


def takings(first: date, last: date, seen: Mapping[Whose, Recipient]) -> Iterator[Takings]:
    """Of those who are seen; a payee that several units pay is told by unit, and what is of no unit by itself."""
    split = {whose.payee_id for whose in seen if whose.unit_id is not None}
    told: dict[str, Any] = {
        "first": first, "last": last, "closed": closed_through() or date.min,
        "payees": list({whose.payee_id for whose in seen}), "split": list(split),
        "begins": datetime.combine(first, time(), SHANGHAI),
        "ends": datetime.combine(last + timedelta(days=1), time(), SHANGHAI),
    }  # fmt: skip
    for question in (_POSTED, _CHARGED):
        for row in current().execute(question, told).mappings():
            each = _takings(row)
            if each.whose in seen and not (each.whose.payee_id in split and each.figures == Figures()):
                yield each


def _takings(row: RowMapping) -> Takings:
    figures = {name: int(fen or 0) for name, fen in row.items() if name.endswith("_fen")}
    return Takings(row["day"], Whose(row["payee_id"], row["unit_id"]), Figures(**figures))


_WHOSE: Final = [bindparam(name, type_=ARRAY(BigInteger)) for name in ("payees", "split")]
_POSTED: Final = text(
    """
    WITH whole AS (
        SELECT day, payee_id, CAST(NULL AS bigint) AS unit_id, code, turnover_daily.kind, debit_fen, credit_fen
        FROM turnover_daily JOIN account ON account.id = account_id
        WHERE day BETWEEN :first AND least(:last, :closed) AND payee_id = ANY(:payees)
        UNION ALL
        SELECT posted_on, journal.payee_id, NULL, code, counted_kind(journal), greatest(amount_fen, 0),
               greatest(-amount_fen, 0)
        FROM journal JOIN posting ON posting.journal_id = journal.id JOIN account ON account.id = account_id
        WHERE posted_on BETWEEN greatest(:first, :closed + 1) AND :last AND journal.payee_id = ANY(:payees)
    ), kept AS (
        SELECT coalesce(max(day), '-infinity') AS through FROM unit_turnover_day
    ), part AS MATERIALIZED (
        SELECT day, payee_id, unit_id, code, unit_turnover_daily.kind, debit_fen, credit_fen
        FROM unit_turnover_daily JOIN account ON account.id = account_id
        WHERE day BETWEEN :first AND :last AND payee_id = ANY(:split)
        UNION ALL
        SELECT day, payee_id, unit_id, code, moved.kind, debit_fen, credit_fen
        FROM kept, unit_turnover(greatest(:first, through + 1), :last, :split) moved
        JOIN account ON account.id = account_id
    ), moved AS (
        TABLE whole UNION ALL TABLE part
        UNION ALL SELECT day, payee_id, NULL, code, kind, -debit_fen, -credit_fen FROM part
    )
    SELECT day, payee_id, unit_id,
        sum(debit_fen - credit_fen) FILTER (
            WHERE code = 'wx_receivable' AND kind IN ('payment', 'surplus')
        ) AS paid_fen,
        sum(credit_fen - debit_fen) FILTER (WHERE code = 'wx_receivable' AND kind LIKE 'refund%') AS refunded_fen,
        sum(debit_fen - credit_fen) FILTER (WHERE code = 'wx_fee' AND kind <> 'fee_borne') AS fee_fen,
        sum(credit_fen - debit_fen) FILTER (
            WHERE kind NOT IN ('remittance', 'remittance_bounce') AND code IN ('due_to_treasury', 'revenue')
            OR kind <> 'refund_by_treasury' AND code = 'treasury_refund_claim'
        ) AS earned_fen,
        sum(credit_fen - debit_fen) FILTER (
            WHERE kind = 'refund_by_treasury' AND code = 'treasury_refund_claim'
        ) AS repaid_fen,
        sum(debit_fen - credit_fen) FILTER (
            WHERE kind NOT IN ('remittance', 'remittance_bounce', 'fee_borne') AND code = 'bank'
        ) AS settled_fen,
        sum(debit_fen - credit_fen) FILTER (
            WHERE kind IN ('remittance', 'remittance_bounce') AND code = 'due_to_treasury'
        ) AS remitted_fen,
        sum(credit_fen - debit_fen) FILTER (
            WHERE kind NOT IN ('remittance', 'remittance_bounce') AND code = 'due_to_treasury' AND NOT EXISTS (
                SELECT FROM remittance_batch batch WHERE batch.payee_id = moved.payee_id
                AND batch.state IN ('sent', 'left', 'received') AND batch.days @> moved.day
            )
        ) AS unremitted_fen
    FROM moved GROUP BY day, payee_id, unit_id
    """
).bindparams(*_WHOSE, *(bindparam(name, type_=Date) for name in ("first", "last", "closed")))
"""What a unit's bills brought is taken out of the whole, so that the parts come to it whatever else was posted; it
is kept some time after its day was closed.

What is remitted was earned all the same; a day is remitted whole, so what of it is not is told by its day.
"""
_CHARGED: Final = text(
    """
    WITH asked AS (
        SELECT (created_at AT TIME ZONE 'Asia/Shanghai')::date AS day, payee_id, amount_fen, state, CASE
            WHEN payee_id = ANY(:split) THEN (
                SELECT lot.unit_id FROM bill JOIN stay ON stay.id = stay_id JOIN lot ON lot.id = stay.lot_id
                WHERE charge_key = charge.key
            ) END AS unit_id
        FROM charge WHERE created_at >= :begins AND created_at < :ends AND payee_id = ANY(:payees)
    )
    SELECT day, payee_id, unit_id,
           sum(amount_fen) FILTER (WHERE state <> 'closed') AS charged_fen,
           sum(amount_fen) FILTER (WHERE state IN ('created', 'closing')) AS open_fen
    FROM asked GROUP BY day, payee_id, unit_id
    """
).bindparams(*_WHOSE, *(bindparam(name, type_=DateTime(timezone=True)) for name in ("begins", "ends")))
