"""What a motorist allows us to send through WeChat."""

from typing import Any

import marshmallow as ma

from app.domain.messages import actions, queries
from app.web.once import once
from app.web.policy import admits
from miniprogram_api.door import asking, motorist, noun
from miniprogram_api.fields import Several, Text, Wish

blueprint = noun("subscriptions", "订阅消息")


class ShownSubscription(ma.Schema):
    kind = ma.fields.String(
        required=True,
        metadata={"description": "leaving 离场提醒，conduct 守约通知，arrears 欠费通知，booking 预约变动"},
    )
    template_id = ma.fields.String(
        required=True, metadata={"description": "交给 wx.requestSubscribeMessage 的模板编号"}
    )
    left = ma.fields.Integer(required=True, metadata={"description": "还可下发的条数"})


class Subscriptions(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(ShownSubscription), required=True)


class Acceptance(Wish):
    template_ids = Several(
        Text(100), 3, required=True, metadata={"description": "车主在微信中点了允许的模板，每个计一条"}
    )


@blueprint.get("/subscriptions")
@admits(motorist())
@blueprint.gives(200, Subscriptions)
@blueprint.refuses(401, 429)
def list_subscriptions() -> dict[str, Any]:
    """可订阅的消息"""
    return {"items": queries.subscriptions(asking())}


@blueprint.post("/subscriptions")
@admits(motorist("30/minute"))
@once
@blueprint.takes(Acceptance)
@blueprint.gives(201, Subscriptions)
@blueprint.refuses(400, 401, 409, 422, 429)
def accept(wish: dict[str, Any]) -> dict[str, Any]:
    """记录同意接收的消息

    每同意一次，可收到一条。
    """
    actions.accept(asking(), wish["template_ids"])
    return {"items": queries.subscriptions(asking())}
