"""What a motorist still owes for stays that have ended."""

from typing import Any

import marshmallow as ma

from app.domain.arrears.queries import OwnArrear, own_arrears
from app.web.policy import admits
from miniprogram_api.door import asking, motorist, noun
from miniprogram_api.fields import fen
from miniprogram_api.places import Place, place

blueprint = noun("arrears", "欠费")


class ShownArrear(ma.Schema):
    stay_key = ma.fields.UUID(
        required=True, metadata={"description": "停车记录编号，用于 POST /stays/{key}/payment 缴费"}
    )
    lot = ma.fields.Nested(Place, required=True)
    left_at = ma.fields.AwareDateTime(required=True, metadata={"description": "驶离时间"})
    amount_fen = fen("欠费金额")
    is_paused = ma.fields.Boolean(required=True, metadata={"description": "是否正在核查而暂缓催缴"})
    stops_reservations = ma.fields.Boolean(required=True, metadata={"description": "是否因此不能新增预约；缴清即恢复"})


class Arrears(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(ShownArrear), required=True)


@blueprint.get("/arrears")
@admits(motorist())
@blueprint.gives(200, Arrears)
@blueprint.refuses(401, 429)
def my_arrears() -> dict[str, Any]:
    """我的欠费

    已离场而尚未缴清的停车，最早的在前。
    """
    return {"items": [_shown(each) for each in own_arrears(asking())]}


def _shown(each: OwnArrear) -> dict[str, Any]:
    return {**vars(each), "lot": place(each.lot)}
