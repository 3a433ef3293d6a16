"""Which postings follow from what happened, recomputed from the events alone and compared with the journal."""

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final

from sqlalchemy import Date, DateTime, bindparam, func, select, text

from app.kernel.clock import SHANGHAI
from app.kernel.db import current, transaction
from app.kernel.money import Fen
from payments.ledger.rules import Line, intent

RECOMPUTED: Final = (
    "payment", "surplus", "recognition", "refund_request", "refund_success", "refund_abnormal", "refund_recovered",
    "refund_by_treasury", "remittance", "remittance_bounce",
)  # fmt: skip
"""Kinds of journals that follow from events of ours, and their reversals. What banks and bills tell is reconciled."""

BEGINNING: Final = date(2026, 1, 1)
"""No money moved before the notice."""


@dataclass(frozen=True)
class Difference:
    """One line that the books should have and have not (`expected`), or have and should not (`posted`), in fen."""

    what: str
    kind: str
    reference: str
    account: str
    amount_fen: Fen


def differences(since: date, limit: int = 100) -> list[Difference]:
    """Every line in which books and events differ, of all payments that moved on that day or later; empty: none.

    Whatever was posted since then counts too: a journal that no event explains is found, and one whose lines are not
    those that it was meant to have (`altered`).
    """
    begins = datetime.combine(max(since, BEGINNING), time(), SHANGHAI)
    with transaction() as session:
        session.execute(select(func.set_config("statement_timeout", "0", True)))
        rows = session.execute(_COMPARED, {"begins": begins, "since": since, "at_most": limit})
        return [Difference(*row) for row in rows] + _altered(since)[:limit]


def _altered(since: date) -> list[Difference]:
    found = []
    for row in current().execute(_JOURNALS, {"since": since}, execution_options={"yield_per": 2_000}):
        lines = [Line(code, fen) for code, fen in row.lines]
        if intent(row.kind, row.business_ref, row.payee_id, lines) != row.intent_hash:
            found.append(Difference("altered", row.kind, row.business_ref, "", 0))
    return found


_JOURNALS = text(
    """
    SELECT journal.kind, business_ref, journal.payee_id, intent_hash,
           jsonb_agg(jsonb_build_array(code, amount_fen) ORDER BY posting.id) AS lines
    FROM journal JOIN posting ON posting.journal_id = journal.id JOIN account ON account.id = posting.account_id
    WHERE posted_on >= :since GROUP BY journal.id
    """
).bindparams(bindparam("since", type_=Date))

_TOUCHED = """
    touched AS (
        SELECT id FROM payment WHERE learned_at >= :begins
        UNION SELECT payment_id FROM refund WHERE moved_at >= :begins
        UNION SELECT payment.id FROM journal
            JOIN payment_order o ON business_ref = 'order:' || o.out_trade_no JOIN payment ON payment.order_id = o.id
            WHERE posted_on >= :since
        UNION SELECT payment.id FROM journal
            JOIN charge ON business_ref = 'charge:' || charge.key JOIN payment ON payment.charge_id = charge.id
            WHERE posted_on >= :since
        UNION SELECT payment_id FROM journal JOIN refund ON business_ref = 'refund:' || out_refund_no
            WHERE posted_on >= :since
    )"""

_EVENTS = """
    paid AS (
        SELECT payment.*, 'order:' || out_trade_no AS order_ref, 'charge:' || charge.key AS charge_ref, charge.state,
               CASE payee.regime WHEN 'TREASURY' THEN 'due_to_treasury' ELSE 'revenue' END AS earned
        FROM payment JOIN payment_order o ON o.id = payment.order_id
        JOIN charge ON charge.id = payment.charge_id JOIN payee ON payee.id = payment.payee_id
        WHERE payment.order_id IN (SELECT order_id FROM touched JOIN payment USING (id))
    ), moves AS (
        SELECT refund.id, min(e.id) FILTER (WHERE event = 'born') AS born,
               min(e.id) FILTER (WHERE event IN ('reject', 'close', 'refuse')) AS let_go,
               bool_or(event = 'fail') AS failed, bool_or(event IN ('succeed', 'pay')) AS succeeded
        FROM paid JOIN refund ON refund.payment_id = paid.id
        JOIN state_event e ON e.machine = 'refund' AND e.entity_id = refund.id GROUP BY refund.id
    ), returned AS (
        SELECT refund.*, moves.born, moves.let_go, failed, succeeded, earned, 'refund:' || out_refund_no AS ref
        FROM moves JOIN refund USING (id) JOIN paid ON paid.id = refund.payment_id
    ), done AS (
        SELECT paid.id, charge_ref, earned, paid_fen - coalesce((
            SELECT sum(amount_fen) FROM returned
            WHERE returned.payment_id = paid.id AND born < e.id AND (let_go IS NULL OR let_go > e.id)
        ), 0) AS fen
        FROM paid JOIN state_event e ON e.machine = 'charge' AND e.entity_id = paid.charge_id AND e.event = 'fulfil'
        WHERE NOT paid.surplus
    )"""

_EXPECTED = """
    requested AS (
        SELECT ref, let_go, code, fen FROM returned, LATERAL (VALUES
            ('suspense_long', CASE WHEN surplus THEN amount_fen ELSE 0 END),
            ('customer_prepaid', CASE WHEN surplus THEN 0 ELSE from_prepaid_fen END),
            (CASE way WHEN 'treasury' THEN 'treasury_refund_claim' ELSE earned END,
             CASE WHEN surplus THEN 0 ELSE amount_fen - from_prepaid_fen END),
            ('refund_payable', -amount_fen)
        ) AS line(code, fen) WHERE fen <> 0
    ), held AS (
        SELECT ref, let_go, code, fen FROM returned, LATERAL (VALUES
            ('refund_payable', amount_fen), ('refund_abnormal', -amount_fen)
        ) AS line(code, fen) WHERE failed
    ), expected AS (
        SELECT CASE WHEN surplus THEN 'surplus' ELSE 'payment' END AS kind, order_ref AS ref, code,
               sum(fen)::bigint AS fen
        FROM paid, LATERAL (VALUES
            ('wx_receivable', paid_fen), (CASE WHEN surplus THEN 'suspense_long' ELSE 'customer_prepaid' END, -paid_fen)
        ) AS line(code, fen) GROUP BY 1, 2, 3
        UNION ALL SELECT 'recognition', charge_ref, code, fen_::bigint
        FROM done, LATERAL (VALUES ('customer_prepaid', fen), (earned, -fen)) AS line(code, fen_) WHERE fen <> 0
        UNION ALL SELECT CASE e.event WHEN 'send' THEN 'remittance' ELSE 'remittance_bounce' END, 'remittance:' || key,
                         code, CASE e.event WHEN 'send' THEN fen ELSE -fen END
        FROM remittance_batch batch JOIN state_event e ON e.machine = 'remittance' AND e.entity_id = batch.id,
        LATERAL (VALUES ('due_to_treasury', amount_fen), ('bank', -amount_fen)) AS line(code, fen)
        WHERE e.event IN ('send', 'bounce') AND (e.at >= :begins OR 'remittance:' || key IN (
            SELECT business_ref FROM journal WHERE kind IN ('remittance', 'remittance_bounce') AND posted_on >= :since
        ))
        UNION ALL SELECT 'refund_request', ref, code, fen FROM requested
        UNION ALL SELECT 'refund_abnormal', ref, code, fen FROM held
        UNION ALL SELECT CASE WHEN way = 'treasury' THEN 'refund_by_treasury'
                              WHEN failed THEN 'refund_recovered' ELSE 'refund_success' END, ref, code, fen
        FROM returned, LATERAL (VALUES
            (CASE WHEN failed THEN 'refund_abnormal' ELSE 'refund_payable' END, amount_fen),
            (CASE way WHEN 'treasury' THEN 'treasury_refund_claim' ELSE 'wx_receivable' END, -amount_fen)
        ) AS line(code, fen) WHERE succeeded
        UNION ALL SELECT 'reversal', 'refund_request/' || ref, code, -fen FROM requested WHERE let_go IS NOT NULL
        UNION ALL SELECT 'reversal', 'refund_abnormal/' || ref, code, -fen FROM held WHERE let_go IS NOT NULL
    )"""

_POSTED = """
    posted AS (
        SELECT journal.kind, business_ref AS ref, code, sum(amount_fen)::bigint AS fen
        FROM journal JOIN posting ON posting.journal_id = journal.id JOIN account ON account.id = posting.account_id
        WHERE (journal.kind = ANY(:kinds)
               OR journal.kind = 'reversal' AND split_part(business_ref, '/', 1) = ANY(:kinds))
          AND (posted_on >= :since OR (journal.kind, business_ref) IN (SELECT kind, ref FROM expected))
        GROUP BY 1, 2, 3
    )"""

_COMPARED = text(
    f"""
    WITH {_TOUCHED}, {_EVENTS}, {_EXPECTED}, {_POSTED}
    SELECT 'expected', * FROM (TABLE expected EXCEPT ALL TABLE posted) missing
    UNION ALL SELECT 'posted', * FROM (TABLE posted EXCEPT ALL TABLE expected) odd
    UNION ALL SELECT 'reserved', 'refund', 'payment:' || payment.id, '', refund_reserved_fen
    FROM touched JOIN payment USING (id) WHERE refund_reserved_fen <> coalesce((
        SELECT sum(amount_fen) FROM refund WHERE payment_id = payment.id AND state NOT IN ('rejected', 'closed')
    ), 0)
    ORDER BY 3, 2, 4, 1 LIMIT :at_most
    """  # noqa: S608 - made of the pieces above and nothing else
).bindparams(
    bindparam("begins", type_=DateTime(timezone=True)), bindparam("since", type_=Date),
    bindparam("kinds", value=list(RECOMPUTED)),
)  # fmt: skip
