"""Receipts of what was paid."""

from collections.abc import Sequence

import marshmallow as ma

from app.web.policy import admits
from miniprogram_api.door import asking, motorist, noun
from miniprogram_api.fields import fen
from payments.receipts.models import ReceiptRequest
from payments.receipts.queries import receipts_of

blueprint = noun("receipts", "票据")


class Receipt(ma.Schema):
    key = ma.fields.UUID(required=True)
    kind = ma.fields.String(required=True, metadata={"description": "fiscal_ebill 财政电子票据，tax_invoice 数电票"})
    amount_fen = fen("票面金额")
    state = ma.fields.String(required=True)
    requested_at = ma.fields.AwareDateTime(required=True)


@blueprint.get("/receipts")
@admits(motorist())
@blueprint.gives(200, Receipt(many=True))
@blueprint.refuses(401, 429)
def list_receipts() -> Sequence[ReceiptRequest]:
    """我的票据"""
    return receipts_of(asking())
