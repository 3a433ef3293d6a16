"""Receipts are asked for in the very transaction that records the payment, and looked at again when money went back."""

from collections.abc import Collection
from typing import Final, cast

from sqlalchemy import Table, bindparam, insert, update

from app.kernel import clock
from app.kernel.db import current
from app.kernel.ids import new_key
from app.kernel.money import Fen
from app.kernel.prepared import Prepared
from payments.receipts.models import ReceiptRequest
from payments.receipts.rules import FISCAL_EBILL, kind_for


def request_receipt(charge_id: int, payee_id: int, regime: str, motorist_id: int, amount_fen: Fen) -> None:
    """Write down the one receipt that a paid charge is owed; its kind follows the payee's regime.

    A fiscal bill is issued by itself; an invoice waits until the motorist says to whom it is made out.
    """
    now, kind = clock.now(), kind_for(regime)
    wanted_at = now if kind == FISCAL_EBILL else None
    _REQUEST.tell(
        key=new_key(), charge_id=charge_id, payee_id=payee_id, regime=regime, kind=kind, motorist_id=motorist_id,
        amount_fen=amount_fen, requested_at=now, wanted_at=wanted_at, next_check_at=wanted_at,
    )  # fmt: skip


_NAMED: Final = (
    "key", "charge_id", "payee_id", "regime", "kind", "motorist_id", "amount_fen", "requested_at", "wanted_at",
    "next_check_at",
)  # fmt: skip
_REQUEST: Final = Prepared(
    insert(cast("Table", ReceiptRequest.__table__)).values({name: bindparam(name) for name in _NAMED}).inline()
)


def amend(charge_ids: Collection[int]) -> None:
    """Money of these charges went back, or a receipt of theirs came to an end: let the planner look at them.

    Joins the running transaction; a charge without a receipt is passed over.
    """
    wanted = update(ReceiptRequest).where(
        ReceiptRequest.charge_id.in_(charge_ids), ReceiptRequest.wanted_at.is_not(None)
    )
    current().execute(wanted.values(next_check_at=clock.now()))
