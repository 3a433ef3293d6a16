"""What was paid, paid twice, and earned."""

from typing import Final

from payments.parity.queries.source import Source

_TOUCHED: Final = """
    SELECT id FROM payment WHERE learned_at >= :begins
    UNION SELECT payment_id FROM refund WHERE moved_at >= :begins
    UNION SELECT payment.id FROM recent JOIN payment_order o ON o.out_trade_no = recent.name
        JOIN payment ON payment.order_id = o.id WHERE family = 'order'
    UNION SELECT payment.id FROM recent JOIN charge ON charge.key = recent.key
        JOIN payment ON payment.charge_id = charge.id WHERE family = 'charge'
    UNION SELECT payment_id FROM recent JOIN refund ON out_refund_no = recent.name WHERE family = 'refund'
"""
_PAID: Final = """
    SELECT payment.*, 'order:' || out_trade_no AS order_ref, 'charge:' || charge.key AS charge_ref,
           CASE payee.regime WHEN 'TREASURY' THEN 'due_to_treasury' ELSE 'revenue' END AS earned
    FROM payment JOIN payment_order o ON o.id = payment.order_id
    JOIN charge ON charge.id = payment.charge_id JOIN payee ON payee.id = payment.payee_id
    WHERE payment.order_id IN (SELECT order_id FROM touched JOIN payment USING (id))
"""
"""Of a touched payment all that its order paid, for they stand in one journal."""
_DONE: Final = """
    SELECT charge_ref, paid.payee_id, earned, paid_fen - coalesce((
        SELECT sum(amount_fen) FROM returned
        WHERE returned.payment_id = paid.id AND born < e.id AND (let_go IS NULL OR let_go > e.id)
    ), 0)::bigint AS fen
    FROM paid JOIN state_event e ON e.machine = 'charge' AND e.entity_id = paid.charge_id AND e.event = 'fulfil'
    WHERE NOT paid.surplus
"""
"""What was done, less what was promised back at that moment."""

_PAYMENT: Final = """
    SELECT 'payment' AS kind, order_ref AS ref, payee_id, code, sum(fen)::bigint AS fen
    FROM paid, LATERAL (VALUES ('wx_receivable', paid_fen), ('customer_prepaid', -paid_fen)) AS line(code, fen)
    WHERE NOT surplus GROUP BY order_ref, payee_id, code
"""
_SURPLUS: Final = """
    SELECT 'surplus', order_ref, payee_id, code, sum(fen)::bigint
    FROM paid, LATERAL (VALUES ('wx_receivable', paid_fen), ('suspense_long', -paid_fen)) AS line(code, fen)
    WHERE surplus GROUP BY order_ref, payee_id, code
"""
_RECOGNITION: Final = """
    SELECT 'recognition', charge_ref, payee_id, code, line.fen
    FROM done, LATERAL (VALUES ('customer_prepaid', done.fen), (earned, -done.fen)) AS line(code, fen)
    WHERE done.fen <> 0
"""

PAYMENTS: Final = Source({"touched": _TOUCHED, "paid": _PAID}, [_PAYMENT, _SURPLUS])
EARNINGS: Final = Source({"done": _DONE}, [_RECOGNITION])
"""After the refunds: what is promised back is not earned."""
