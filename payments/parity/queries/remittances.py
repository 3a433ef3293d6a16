"""What was paid in to a treasury, and what its bank gave back."""

from typing import Final

from payments.parity.queries.source import Source

_BATCHES: Final = """
    SELECT 'remittance:' || key AS ref, payee_id, amount_fen, event
    FROM remittance_batch batch JOIN state_event e ON e.machine = 'remittance' AND e.entity_id = batch.id
    WHERE event IN ('send', 'bounce')
      AND (e.at >= :begins OR key IN (SELECT key FROM recent WHERE family = 'remittance'))
"""
_SENT: Final = """
    SELECT 'remittance', ref, payee_id, code, fen FROM batches, LATERAL (VALUES
        ('due_to_treasury', amount_fen), ('bank', -amount_fen)
    ) AS line(code, fen) WHERE event = 'send'
"""
_BOUNCED: Final = """
    SELECT 'remittance_bounce', ref, payee_id, code, fen FROM batches, LATERAL (VALUES
        ('bank', amount_fen), ('due_to_treasury', -amount_fen)
    ) AS line(code, fen) WHERE event = 'bounce'
"""

REMITTANCES: Final = Source({"batches": _BATCHES}, [_SENT, _BOUNCED])
