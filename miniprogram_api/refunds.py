"""What goes back to the motorist, step by step."""

import uuid
from typing import Any

import marshmallow as ma

from app.domain.refunds.queries import OwnRefund, own
from app.web.policy import admits
from miniprogram_api import cursor
from miniprogram_api.door import PAGE, asking, motorist, noun
from miniprogram_api.fields import fen
from payments.refunds.queries import own_refund, own_refunds

blueprint = noun("refunds", "退款")


class RefundStep(ma.Schema):
    state = ma.fields.String(required=True)
    at = ma.fields.AwareDateTime(required=True)


class ShownRefund(ma.Schema):
    key = ma.fields.UUID(required=True)
    charge_key = ma.fields.UUID(required=True, metadata={"description": "所退费用，见 GET /payments/{key}"})
    amount_fen = fen("退款金额")
    reason = ma.fields.String(required=True, metadata={"description": "退款原因，如“重复支付”"})
    way = ma.fields.String(
        required=True,
        metadata={"description": "channel 经微信支付原路退回，treasury 款项已上缴、由财政退付"},
    )
    state = ma.fields.String(
        required=True,
        metadata={
            "description": "requested 待审核，approved 已受理，processing 微信处理中，filed 已报送财政、退付办理中，"
            "success 已退，rejected 未通过，abnormal 异常、处理中，closed 未完成"
        },
    )
    asked_at = ma.fields.AwareDateTime(required=True)
    steps = ma.fields.List(ma.fields.Nested(RefundStep), required=True)


class RefundPage(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(ShownRefund), required=True)
    next_cursor = ma.fields.String(required=True, allow_none=True)


@blueprint.get("/refunds")
@admits(motorist())
@blueprint.takes(cursor.Page, location="query")
@blueprint.gives(200, RefundPage)
@blueprint.refuses(401, 429)
def list_refunds(page: dict[str, Any]) -> dict[str, Any]:
    """我的退款"""
    rows, last = cursor.cut(own_refunds(asking(), cursor.unseal(page.get("cursor")), PAGE + 1), PAGE)
    return {"items": [own(row) for row in rows], "next_cursor": cursor.seal(last.id) if last else None}


@blueprint.get("/refunds/<uuid:key>")
@admits(motorist())
@blueprint.gives(200, ShownRefund)
@blueprint.refuses(401, 404, 429)
def one_refund(key: uuid.UUID) -> OwnRefund:
    """退款进度"""
    return own(own_refund(asking(), key))
