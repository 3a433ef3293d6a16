"""Receipts are asked for in the very transaction that records the payment."""

from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.money import Fen
from payments.payees.models import Payee
from payments.receipts.models import ReceiptRequest
from payments.receipts.rules import kind_for


def request_receipt(charge_id: int, payee: Payee, motorist_id: int, amount_fen: Fen) -> ReceiptRequest:
    """Ask for the one receipt of a paid charge; its kind follows the payee's regime."""
    with transaction() as session:
        request = ReceiptRequest(
            charge_id=charge_id, payee_id=payee.id, regime=payee.regime, kind=kind_for(payee.regime),
            motorist_id=motorist_id, amount_fen=amount_fen, state="requested", requested_at=clock.now(),
        )  # fmt: skip
        session.add(request)
        session.flush()
        return request
