"""Receipts of what was paid."""

from typing import Any

import marshmallow as ma

from app.web.policy import admits
from miniprogram_api import cursor
from miniprogram_api.door import PAGE, asking, motorist, noun
from miniprogram_api.fields import fen
from payments.receipts.queries import receipts_of

blueprint = noun("receipts", "票据")


class Receipt(ma.Schema):
    key = ma.fields.UUID(required=True)
    kind = ma.fields.String(required=True, metadata={"description": "fiscal_ebill 财政电子票据，tax_invoice 数电票"})
    amount_fen = fen("票面金额")
    state = ma.fields.String(required=True)
    requested_at = ma.fields.AwareDateTime(required=True)


class ReceiptPage(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(Receipt), required=True)
    next_cursor = ma.fields.String(required=True, allow_none=True)


@blueprint.get("/receipts")
@admits(motorist())
@blueprint.takes(cursor.Page, location="query")
@blueprint.gives(200, ReceiptPage)
@blueprint.refuses(401, 429)
def list_receipts(page: dict[str, Any]) -> dict[str, Any]:
    """我的票据"""
    rows, last = cursor.cut(receipts_of(asking(), cursor.unseal(page.get("cursor")), PAGE + 1), PAGE)
    return {"items": rows, "next_cursor": cursor.seal(last.id) if last else None}
