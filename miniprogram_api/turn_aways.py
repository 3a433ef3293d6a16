"""Turned away at a gate: told in one tap (N2.2.3)."""

from typing import Any

import marshmallow as ma
from marshmallow import validate

from app.domain.stays import actions
from app.domain.stays.rules import FINDINGS
from app.web.once import once
from app.web.policy import admits
from miniprogram_api.door import asking, motorist, noun
from miniprogram_api.fields import Key, Wish

blueprint = noun("turn_aways", "拒停举报")


class TurnAwayWish(Wish):
    lot_key = Key(required=True)
    vehicle_key = Key(metadata={"description": "被拒的车辆；账户只有一辆车时可省略"})


class ShownReport(ma.Schema):
    key = ma.fields.UUID(required=True)
    lot_key = ma.fields.UUID(required=True)
    at = ma.fields.AwareDateTime(required=True, metadata={"description": "举报时间"})
    was_open = ma.fields.Boolean(required=True, metadata={"description": "当时是否在共享开放时段"})
    shared_bays = ma.fields.Integer(required=True, metadata={"description": "共享泊位"})
    occupied_bays = ma.fields.Integer(required=True, metadata={"description": "当时已占用或已预约"})
    free_bays = ma.fields.Integer(required=True, metadata={"description": "当时无预约车辆可用的空余泊位"})
    finding = ma.fields.String(
        required=True,
        validate=validate.OneOf(list(FINDINGS)),
        metadata={"description": "；".join(f"{code} {told}" for code, told in FINDINGS.items())},
    )
    text = ma.fields.String(required=True, metadata={"description": "核对结果"})


@blueprint.post("/turn-aways")
@admits(motorist("10/minute"))
@once
@blueprint.takes(TurnAwayWish)
@blueprint.gives(201, ShownReport)
@blueprint.refuses(400, 401, 404, 409, 422, 429)
def report_turn_away(wish: dict[str, Any]) -> dict[str, Any]:
    """举报拒停

    一键举报：平台记下此刻的开放状态和占用情况，并与道闸记录核对，运营方和监管方均可见。十分钟内对同一停车场再次举报视为同一次。
    """
    told = actions.report_turn_away(asking(), wish["lot_key"], wish.get("vehicle_key"))
    return {**vars(told), "text": FINDINGS[told.finding]}
