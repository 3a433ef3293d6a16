"""What was put into suspense because a bill differs, and what left it."""

from typing import Final

from payments.parity.queries.source import Source

_SUSPENDED: Final = """
    SELECT 'difference:' || key AS ref, payee_id, state, code, fen FROM difference, LATERAL (VALUES
        (CASE WHEN gap_fen > 0 THEN 'wx_receivable' ELSE 'suspense_short' END, abs(gap_fen)),
        (CASE WHEN gap_fen > 0 THEN 'suspense_long' ELSE 'wx_receivable' END, -abs(gap_fen))
    ) AS line(code, fen)
    WHERE (moved_at >= :begins OR key IN (SELECT key FROM recent WHERE family = 'difference')) AND EXISTS (
        SELECT FROM state_event WHERE machine = 'difference' AND entity_id = difference.id AND event = 'suspend'
    )
"""
_HELD: Final = "SELECT 'difference', ref, payee_id, code, fen FROM suspended"
_LET_OUT: Final = """
    SELECT 'reversal', 'difference/' || ref, payee_id, code, -fen FROM suspended WHERE state IN ('cleared', 'gone')
"""

SUSPENSE: Final = Source({"suspended": _SUSPENDED}, [_HELD, _LET_OUT])
