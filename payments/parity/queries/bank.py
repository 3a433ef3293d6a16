"""What units paid in for the fees that WeChat kept of the treasury's money."""

from typing import Final

from payments.parity.queries.source import Source

_BORNE: Final = """
    SELECT statement.key || ':' || line AS name, said.payee_id, amount_fen
    FROM line_meaning said JOIN bank_statement statement ON statement.id = statement_id
    WHERE meaning = 'fee_borne' AND state = 'accepted'
      AND (decided_at >= :begins OR statement.key || ':' || line IN (SELECT name FROM recent WHERE family = 'bank'))
"""
_FEE_BORNE: Final = """
    SELECT 'fee_borne', 'bank:' || name, payee_id, code, fen
    FROM borne, LATERAL (VALUES ('bank', amount_fen), ('wx_fee', -amount_fen)) AS line(code, fen)
"""

BANK: Final = Source({"borne": _BORNE}, [_FEE_BORNE])
