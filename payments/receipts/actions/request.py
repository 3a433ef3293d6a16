"""Receipts are asked for in the very transaction that records the payment, and looked at again when money went back."""

import uuid
from collections.abc import Collection
from typing import cast

from sqlalchemy import CTE, ColumnElement, DateTime, FromClause, String, Table, bindparam, insert, select, update

from app.kernel import clock
from app.kernel.db import current
from payments.receipts.models import ReceiptRequest
from payments.receipts.rules import FISCAL_EBILL, kind_for


def requested(paid: CTE, key: ColumnElement[uuid.UUID], among: FromClause) -> CTE:
    """For a statement that pays charges as `paid`: the one receipt that each of them is owed unless it is late.

    Each gets the key that stands beside it `among` others. It is told `at`, and what `receipt_told` says.
    """
    at, wanted_at = (bindparam(name, type_=DateTime(timezone=True)) for name in ("at", "wanted_at"))
    told = {
        "key": key, "charge_id": paid.c.id, "payee_id": paid.c.payee_id,
        "regime": bindparam("regime", type_=String), "kind": bindparam("receipt_kind", type_=String),
        "motorist_id": paid.c.motorist_id, "amount_fen": paid.c.amount_fen, "requested_at": at,
        "wanted_at": wanted_at, "next_check_at": wanted_at,
    }  # fmt: skip
    owed = select(*told.values()).select_from(among).where(paid.c.state == "paid")
    return insert(cast("Table", ReceiptRequest.__table__)).from_select(list(told), owed).cte("receipts")


def receipt_told(regime: str) -> dict[str, object]:
    """What such a statement must be told of the receipts of a payee's charges; their kind follows its regime.

    A fiscal bill is issued by itself; an invoice waits until the motorist says to whom it is made out.
    """
    kind = kind_for(regime)
    wanted_at = clock.now() if kind == FISCAL_EBILL else None
    return {"regime": regime, "receipt_kind": kind, "wanted_at": wanted_at}


def amend(charge_ids: Collection[int]) -> None:
    """Money of these charges went back, or a receipt of theirs came to an end: let the planner look at them.

    Joins the running transaction; a charge without a receipt is passed over.
    """
    wanted = update(ReceiptRequest).where(
        ReceiptRequest.charge_id.in_(charge_ids), ReceiptRequest.wanted_at.is_not(None)
    )
    current().execute(wanted.values(next_check_at=clock.now()))
