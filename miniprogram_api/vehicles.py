"""A motorist's vehicles, and the phone number they may leave."""

import uuid
from collections.abc import Sequence
from typing import Any

import marshmallow as ma

from app.domain.motorists import actions, queries
from app.domain.motorists.plates import PlateColour
from app.domain.motorists.queries import VehicleView
from app.web.once import once
from app.web.policy import admits
from app.wiring import wiring
from miniprogram_api.door import asking, motorist, noun
from miniprogram_api.fields import Choice, Text, Wish

blueprint = noun("vehicles", "车辆与联系方式")
COLOURS = tuple(str(colour) for colour in PlateColour)


class PlateWish(Wish):
    plate = Text(16, required=True, metadata={"description": "号牌号码", "example": "浙A12345"})
    colour = Choice(COLOURS, required=True, metadata={"description": "号牌颜色"})


class ShownVehicle(ma.Schema):
    key = ma.fields.UUID(required=True)
    plate = ma.fields.String(required=True)
    colour = ma.fields.String(required=True)
    kind = ma.fields.String(required=True, metadata={"description": "号牌种类"})
    added_at = ma.fields.AwareDateTime(required=True)


class PhoneCode(Wish):
    code = Text(required=True, metadata={"description": "手机号授权按钮返回的 code，5 分钟内使用一次"})


class Phone(ma.Schema):
    phone = ma.fields.String(required=True, metadata={"description": "隐去中间数字的手机号"})


@blueprint.get("/vehicles")
@admits(motorist())
@blueprint.gives(200, ShownVehicle(many=True))
@blueprint.refuses(401, 429)
def list_vehicles() -> Sequence[VehicleView]:
    """我的车辆"""
    return queries.vehicles_of(asking())


@blueprint.post("/vehicles")
@admits(motorist("20/minute"))
@once
@blueprint.takes(PlateWish)
@blueprint.gives(201, ShownVehicle)
@blueprint.refuses(400, 401, 409, 429)
def add(wish: dict[str, Any]) -> VehicleView:
    """添加车辆

    重复添加同一号牌得到同一辆车。
    """
    return actions.add_vehicle(asking(), wish["plate"], wish["colour"])


@blueprint.delete("/vehicles/<uuid:key>")
@admits(motorist())
@blueprint.gives(204)
@blueprint.refuses(401, 404, 429)
def remove(key: uuid.UUID) -> None:
    """删除车辆"""
    actions.remove_vehicle(asking(), key)


@blueprint.put("/phone")
@admits(motorist("6/minute", calls_outside=True))
@blueprint.takes(PhoneCode)
@blueprint.gives(200, Phone)
@blueprint.refuses(400, 401, 429, 503)
def set_phone(wish: dict[str, Any]) -> dict[str, str]:
    """授权手机号

    仅用于停车异常、泊位调整和投诉处理时联系本人。
    """
    return {"phone": actions.set_phone(asking(), wish["code"], wiring().identity)}


@blueprint.delete("/phone")
@admits(motorist())
@blueprint.gives(204)
@blueprint.refuses(401, 429)
def forget_phone() -> None:
    """撤回手机号授权并删除手机号"""
    actions.forget_phone(asking())
