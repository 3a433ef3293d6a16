"""What was promised back, held up, paid, or let go."""

from typing import Final

from payments.parity.queries.source import Source

_MOVES: Final = """
    SELECT refund.id, min(e.id) FILTER (WHERE event = 'born') AS born,
           min(e.id) FILTER (WHERE event IN ('reject', 'close', 'refuse')) AS let_go,
           bool_or(event = 'fail') AS failed, bool_or(event IN ('succeed', 'pay')) AS succeeded
    FROM paid JOIN refund ON refund.payment_id = paid.id
    JOIN state_event e ON e.machine = 'refund' AND e.entity_id = refund.id GROUP BY refund.id
"""
_RETURNED: Final = """
    SELECT refund.*, moves.born, moves.let_go, failed, succeeded, earned, 'refund:' || out_refund_no AS ref
    FROM moves JOIN refund USING (id) JOIN paid ON paid.id = refund.payment_id
"""
_REQUESTED: Final = """
    SELECT ref, payee_id, let_go, code, fen FROM returned, LATERAL (VALUES
        ('suspense_long', CASE WHEN surplus THEN amount_fen ELSE 0 END),
        ('customer_prepaid', CASE WHEN surplus THEN 0 ELSE from_prepaid_fen END),
        (CASE way WHEN 'treasury' THEN 'treasury_refund_claim' ELSE earned END,
         CASE WHEN surplus THEN 0 ELSE amount_fen - from_prepaid_fen END),
        ('refund_payable', -amount_fen)
    ) AS line(code, fen) WHERE fen <> 0
"""
_HELD: Final = """
    SELECT ref, payee_id, let_go, code, fen FROM returned, LATERAL (VALUES
        ('refund_payable', amount_fen), ('refund_abnormal', -amount_fen)
    ) AS line(code, fen) WHERE failed
"""

_REQUEST: Final = "SELECT 'refund_request', ref, payee_id, code, fen FROM requested"
_REQUEST_LET_GO: Final = """
    SELECT 'reversal', 'refund_request/' || ref, payee_id, code, -fen FROM requested WHERE let_go IS NOT NULL
"""
_ABNORMAL: Final = "SELECT 'refund_abnormal', ref, payee_id, code, fen FROM held"
_ABNORMAL_LET_GO: Final = """
    SELECT 'reversal', 'refund_abnormal/' || ref, payee_id, code, -fen FROM held WHERE let_go IS NOT NULL
"""
_SUCCESS: Final = """
    SELECT 'refund_success', ref, payee_id, code, fen FROM returned, LATERAL (VALUES
        ('refund_payable', amount_fen), ('wx_receivable', -amount_fen)
    ) AS line(code, fen) WHERE succeeded AND way = 'channel' AND NOT failed
"""
_RECOVERED: Final = """
    SELECT 'refund_recovered', ref, payee_id, code, fen FROM returned, LATERAL (VALUES
        ('refund_abnormal', amount_fen), ('wx_receivable', -amount_fen)
    ) AS line(code, fen) WHERE succeeded AND way = 'channel' AND failed
"""
_BY_TREASURY: Final = """
    SELECT 'refund_by_treasury', ref, payee_id, code, fen FROM returned, LATERAL (VALUES
        ('refund_payable', amount_fen), ('treasury_refund_claim', -amount_fen)
    ) AS line(code, fen) WHERE succeeded AND way = 'treasury'
"""

REFUNDS: Final = Source(
    {"moves": _MOVES, "returned": _RETURNED, "requested": _REQUESTED, "held": _HELD},
    [_REQUEST, _REQUEST_LET_GO, _ABNORMAL, _ABNORMAL_LET_GO, _SUCCESS, _RECOVERED, _BY_TREASURY],
)
"""Of the payments that were `paid`."""
