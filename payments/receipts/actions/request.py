"""Receipts are asked for in the very transaction that records the payment, and looked at again when money went back."""

from collections.abc import Collection

from sqlalchemy import update

from app.kernel import clock
from app.kernel.db import current, transaction
from app.kernel.money import Fen
from payments.payees.models import Payee
from payments.receipts.models import ReceiptRequest
from payments.receipts.rules import FISCAL_EBILL, kind_for


def request_receipt(charge_id: int, payee: Payee, motorist_id: int, amount_fen: Fen) -> ReceiptRequest:
    """Write down the one receipt that a paid charge is owed; its kind follows the payee's regime.

    A fiscal bill is issued by itself; an invoice waits until the motorist says to whom it is made out.
    """
    with transaction() as session:
        now, kind = clock.now(), kind_for(payee.regime)
        wanted_at = now if kind == FISCAL_EBILL else None
        request = ReceiptRequest(
            charge_id=charge_id, payee_id=payee.id, regime=payee.regime, kind=kind, motorist_id=motorist_id,
            amount_fen=amount_fen, requested_at=now, wanted_at=wanted_at, next_check_at=wanted_at,
        )  # fmt: skip
        session.add(request)
        session.flush()
        return request


def amend(charge_ids: Collection[int]) -> None:
    """Money of these charges went back, or a receipt of theirs came to an end: let the planner look at them.

    Joins the running transaction; a charge without a receipt is passed over.
    """
    wanted = update(ReceiptRequest).where(
        ReceiptRequest.charge_id.in_(charge_ids), ReceiptRequest.wanted_at.is_not(None)
    )
    current().execute(wanted.values(next_check_at=clock.now()))
