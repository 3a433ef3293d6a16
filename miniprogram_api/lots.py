"""Finding a lot: those near a point, and one of them closely, for a span of time."""

import uuid
from datetime import timedelta
from typing import Any

import marshmallow as ma
from marshmallow import ValidationError, validates_schema

from app.domain.lots.queries import Point
from app.domain.search.queries import OpenLot, find_open, lot_page
from app.web.policy import admits
from miniprogram_api import cursor
from miniprogram_api.door import PAGE, motorist, noun
from miniprogram_api.fields import Choice, Degrees, Moment, Text, Whole, Wish
from miniprogram_api.places import Place, place

blueprint = noun("lots", "停车场查询")

LONGEST = timedelta(days=7)
CLASSES = ("small", "large")


class SpanWish(Wish):
    """For which stay the lots are compared."""

    begins_at = Moment(required=True, metadata={"description": "停车开始（含）"})
    ends_at = Moment(required=True, metadata={"description": "停车结束（不含）"})
    vehicle_class = Choice(CLASSES, load_default="small", metadata={"description": "small 小型车，large 大型车"})

    @validates_schema
    def _is_a_span(self, wish: dict[str, Any], **_: Any) -> None:
        if not timedelta() < wish["ends_at"] - wish["begins_at"] <= LONGEST:
            raise ValidationError("结束应晚于开始，且不超过 7 天", "ends_at")


class Nearby(SpanWish):
    lat = Degrees(90, required=True, metadata={"description": "纬度，GCJ-02"})
    lng = Degrees(180, required=True, metadata={"description": "经度，GCJ-02"})
    radius_m = Whole(100, 20_000, load_default=2_000, metadata={"description": "半径（米）"})
    cursor = Text(512, metadata={"description": "上一页返回的 next_cursor"})


class OpenHours(ma.Schema):
    opens_at = ma.fields.AwareDateTime(required=True)
    closes_at = ma.fields.AwareDateTime(required=True)


class ShownLot(Place):
    unit = ma.fields.String(required=True, metadata={"description": "开放单位"})
    distance_m = ma.fields.Integer(required=True, allow_none=True, metadata={"description": "距离（米）"})
    shared_bays = ma.fields.Integer(required=True, metadata={"description": "共享泊位数"})
    open_bays = ma.fields.Integer(required=True, metadata={"description": "整个时段都空闲的泊位数"})
    total_chargers = ma.fields.Integer(required=True)
    shared_chargers = ma.fields.Integer(required=True)
    height_limit_cm = ma.fields.Integer(required=True, allow_none=True, metadata={"description": "限高（厘米）"})
    is_open = ma.fields.Boolean(required=True, metadata={"description": "停车开始时是否开放"})
    today = ma.fields.List(ma.fields.Nested(OpenHours), required=True, metadata={"description": "当日开放时段"})
    next_opening = ma.fields.AwareDateTime(required=True, allow_none=True)
    fee_fen = ma.fields.Integer(required=True, allow_none=True, metadata={"description": "该时段预计费用（分）"})
    fee_before_cap_fen = ma.fields.Integer(
        required=True, allow_none=True, metadata={"description": "按周边最低价封顶之前的费用（分）"}
    )
    price_text = ma.fields.String(required=True, allow_none=True, metadata={"description": "收费标准简述"})


class LotPage(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(ShownLot), required=True)
    next_cursor = ma.fields.String(required=True, allow_none=True)


@blueprint.get("/lots")
@admits(motorist("60/minute"))
@blueprint.takes(Nearby, location="query")
@blueprint.gives(200, LotPage)
@blueprint.refuses(401, 409, 429)
def find(wish: dict[str, Any]) -> dict[str, Any]:
    """附近可停的停车场

    由近到远；结果可能有两秒延迟，预约时会重新核对。
    """
    after = cursor.unseal(wish.get("cursor"))
    found = find_open(
        Point(wish["lat"], wish["lng"]),
        wish["begins_at"],
        wish["ends_at"],
        wish["radius_m"],
        wish["vehicle_class"],
        (after[0], after[1]) if after else None,
        PAGE + 1,
    )
    rows, last = cursor.cut(found, PAGE)
    return {
        "items": [{**_shown(row), "distance_m": row.distance_m} for row in rows],
        "next_cursor": cursor.seal([last.distance_m, last.lot.id]) if last else None,
    }


@blueprint.get("/lots/<uuid:key>")
@admits(motorist("60/minute"))
@blueprint.takes(SpanWish, location="query")
@blueprint.gives(200, ShownLot)
@blueprint.refuses(401, 404, 409, 429)
def one_lot(wish: dict[str, Any], key: uuid.UUID) -> dict[str, Any]:
    """停车场详情"""
    return {**_shown(lot_page(key, wish["begins_at"], wish["ends_at"], wish["vehicle_class"])), "distance_m": None}


def _shown(row: OpenLot) -> dict[str, Any]:
    return {
        **place(row.lot),
        "unit": row.unit.name,
        "shared_bays": row.shared_bays,
        "open_bays": row.open_bays,
        "total_chargers": row.lot.total_chargers,
        "shared_chargers": row.lot.shared_chargers,
        "height_limit_cm": row.lot.height_limit_cm,
        "is_open": row.is_open,
        "today": [{"opens_at": opens_at, "closes_at": closes_at} for opens_at, closes_at in row.today],
        "next_opening": row.next_opening,
        "fee_fen": row.fee_fen,
        "fee_before_cap_fen": row.fee_before_cap_fen,
        "price_text": row.price_text,
    }
