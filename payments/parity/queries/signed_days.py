"""What WeChat kept of a merchant's day that was signed off, and what it paid out."""

from typing import Final

from payments.parity.queries.source import Source

_SIGNED: Final = """
    SELECT signed.payee_id, 'fees:' || sub_mchid || ':' || signed.day AS fees_ref, file.fee_fen, run.flow_file_id
    FROM day_sign_off signed JOIN day_proposal proposal ON proposal.id = signed.proposal_id
    JOIN recon_run run ON run.id = proposal.run_id JOIN bill_file file ON file.id = run.trade_file_id
    JOIN merchant_channel channel ON channel.id = signed.channel_id
    WHERE signed_at >= :begins OR sub_mchid || ':' || signed.day IN (SELECT name FROM recent WHERE family = 'fees')
       OR run.flow_file_id IN (
           SELECT bill_id FROM recent JOIN fund_line ON flow_id = recent.name WHERE family = 'settlement'
       )
"""
_FEES: Final = """
    SELECT 'channel_fee', fees_ref, payee_id, line.code, fen
    FROM signed, LATERAL (VALUES ('wx_fee', fee_fen), ('wx_receivable', -fee_fen)) AS line(code, fen)
    WHERE fee_fen <> 0
"""
_SETTLEMENTS: Final = """
    SELECT 'settlement', 'settlement:' || flow_id, payee_id, code, fen
    FROM signed JOIN fund_line flow ON flow.bill_id = flow_file_id AND flow.kind = '提现' AND amount_fen < 0,
    LATERAL (VALUES ('bank', -amount_fen), ('wx_receivable', amount_fen)) AS line(code, fen)
"""

SIGNED_DAYS: Final = Source({"signed": _SIGNED}, [_FEES, _SETTLEMENTS])
