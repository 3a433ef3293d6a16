"""Finding a lot: those near a point, and one of them closely, for a span of time."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import marshmallow as ma
from flask import Response
from marshmallow import ValidationError

from app.domain.lots.queries import Point
from app.domain.search.queries import (
    Age,
    Asked,
    Needs,
    OpenLot,
    Rectangle,
    find_open,
    find_speaking_of,
    find_within,
    lot_page,
)
from app.web.plain import PlainWish
from app.web.policy import admits
from miniprogram_api import cursor, shown_lots
from miniprogram_api.door import PAGE, came, glancing_motorist, noun
from miniprogram_api.fields import Choice, Degrees, Flag, Moment, Text, Whole
from miniprogram_api.places import Place

blueprint = noun("lots", "停车场查询")

LONGEST = timedelta(days=7)
CLASSES = ("small", "large")
FRESH_SECONDS = 2.0
"""Bays are counted as they were at most so long ago; `reserve` asks again."""
MOST_ON_MAP = 200
NOTHING = Needs()


class SpanWish(PlainWish):
    """For which stay the lots are compared."""

    begins_at = Moment(required=True, metadata={"description": "停车开始（含）"})
    ends_at = Moment(required=True, metadata={"description": "停车结束（不含）"})
    vehicle_class = Choice(CLASSES, load_default="small", metadata={"description": "small 小型车，large 大型车"})

    def check(self, wish: Mapping[str, Any]) -> None:
        """It is a span, and not too long."""
        if not timedelta() < wish["ends_at"] - wish["begins_at"] <= LONGEST:
            raise ValidationError("结束应晚于开始，且不超过 7 天", "ends_at")


class NeedsWish(SpanWish):
    """For which stay the lots are compared, and what they must have."""

    open_only = Flag(load_default=False, metadata={"description": "只看全程开放的停车场"})
    charging = Flag(load_default=False, metadata={"description": "只看有共享充电泊位的停车场"})
    accessible = Flag(load_default=False, metadata={"description": "只看有共享无障碍泊位的停车场"})
    height_cm = Whole(50, 1000, metadata={"description": "车高（厘米），不超过限高"})
    length_cm = Whole(100, 3000, metadata={"description": "车长（厘米），不超过限长"})
    max_fee_fen = Whole(0, 10_000_000, metadata={"description": "该时段费用上限（分）"})


class Nearby(NeedsWish):
    lat = Degrees(90, required=True, metadata={"description": "纬度，GCJ-02"})
    lng = Degrees(180, required=True, metadata={"description": "经度，GCJ-02"})
    radius_m = Whole(100, 20_000, load_default=2_000, metadata={"description": "半径（米）"})
    cursor = Text(512, metadata={"description": "上一页返回的 next_cursor"})


class OnMap(NeedsWish):
    south = Degrees(90, required=True, metadata={"description": "西南角纬度，GCJ-02"})
    west = Degrees(180, required=True, metadata={"description": "西南角经度，GCJ-02"})
    north = Degrees(90, required=True, metadata={"description": "东北角纬度，GCJ-02"})
    east = Degrees(180, required=True, metadata={"description": "东北角经度，GCJ-02"})


class Words(NeedsWish):
    q = Text(40, required=True, metadata={"description": "停车场名称、地址或单位中的字词，以空格分隔"})
    lat = Degrees(90, required=True, metadata={"description": "纬度，GCJ-02"})
    lng = Degrees(180, required=True, metadata={"description": "经度，GCJ-02"})


class OpenHours(ma.Schema):
    opens_at = ma.fields.AwareDateTime(required=True)
    closes_at = ma.fields.AwareDateTime(required=True)


class Notice(ma.Schema):
    kind = ma.fields.String(
        required=True, metadata={"description": "close 等，见 /announcements；price 为收费标准调整，见 /price-changes"}
    )
    text = ma.fields.String(required=True, metadata={"description": "公告内容"})
    begins_at = ma.fields.AwareDateTime(required=True)
    ends_at = ma.fields.AwareDateTime(required=True, allow_none=True)


class Runner(ma.Schema):
    name = ma.fields.String(required=True)
    service_phone = ma.fields.String(required=True, allow_none=True, metadata={"description": "服务电话"})


class NoMovement(ma.Schema):
    begins = ma.fields.String(required=True, metadata={"description": "HH:MM"})
    ends = ma.fields.String(required=True, metadata={"description": "HH:MM，早于 begins 时为次日"})


class ShownLot(Place):
    unit = ma.fields.String(required=True, metadata={"description": "开放单位"})
    operator = ma.fields.Nested(
        Runner, required=True, allow_none=True, metadata={"description": "运营单位，开放单位自行管理时为空"}
    )
    movement_curfew = ma.fields.Nested(
        NoMovement, required=True, allow_none=True, metadata={"description": "禁止进出时段，停车不得在其间开始或结束"}
    )
    distance_m = ma.fields.Integer(required=True, allow_none=True, metadata={"description": "距离（米）"})
    state = ma.fields.String(required=True, metadata={"description": "open 开放，suspended 暂停"})
    shared_bays = ma.fields.Integer(required=True, metadata={"description": "共享泊位数"})
    open_bays = ma.fields.Integer(required=True, metadata={"description": "整个时段都空闲、任何车可停的泊位数"})
    open_bays_by_kind = ma.fields.Dict(
        keys=ma.fields.String(), values=ma.fields.Integer(), required=True,
        metadata={"description": "各类泊位（standard、charging、accessible、large）整个时段都空闲的数量"},
    )  # fmt: skip
    is_provisional = ma.fields.Boolean(
        required=True, metadata={"description": "当日节假日安排尚未公布，开放时段为暂定"}
    )
    total_chargers = ma.fields.Integer(required=True)
    shared_chargers = ma.fields.Integer(required=True)
    height_limit_cm = ma.fields.Integer(required=True, allow_none=True, metadata={"description": "限高（厘米）"})
    length_limit_cm = ma.fields.Integer(required=True, allow_none=True, metadata={"description": "限长（厘米）"})
    announcements = ma.fields.List(ma.fields.Nested(Notice), required=True, metadata={"description": "调整公告"})
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
@admits(glancing_motorist("60/minute"))
@blueprint.takes(Nearby, location="query")
@blueprint.tells(200, LotPage)
@blueprint.refuses(401, 409, 429)
def find(wish: dict[str, Any]) -> Response:
    """附近可停的停车场

    由近到远；结果可能有两秒延迟，预约时会重新核对。
    """
    after = cursor.unseal(wish.get("cursor"))
    place = Point(wish["lat"], wish["lng"])
    seen = (after[0], after[1]) if after else None
    found = find_open(place, _asked(wish), wish["radius_m"], seen, PAGE + 1, _needs(wish), _age())
    rows, last = cursor.cut(found, PAGE)
    return _page(rows, cursor.seal([last.distance_m, last.lot.id]) if last else None)


@blueprint.get("/lots/on-map")
@admits(glancing_motorist("60/minute"))
@blueprint.takes(OnMap, location="query")
@blueprint.tells(200, LotPage)
@blueprint.refuses(401, 409, 429)
def find_on_map(wish: dict[str, Any]) -> Response:
    """地图范围内的停车场

    离地图中心近者在前，至多 200 个。
    """
    part = Rectangle(wish["south"], wish["west"], wish["north"], wish["east"])
    return _page(find_within(part, _asked(wish), MOST_ON_MAP, _needs(wish), _age()))


@blueprint.get("/lots/by-words")
@admits(glancing_motorist("60/minute"))
@blueprint.takes(Words, location="query")
@blueprint.tells(200, LotPage)
@blueprint.refuses(401, 409, 429)
def find_by_words(wish: dict[str, Any]) -> Response:
    """按名称、地址或单位查找停车场

    含有全部字词的停车场，由近到远，至多 20 个。
    """
    here = Point(wish["lat"], wish["lng"])
    return _page(find_speaking_of(wish["q"], here, _asked(wish), PAGE, _needs(wish), _age()))


@blueprint.get("/lots/<uuid:key>")
@admits(glancing_motorist("60/minute"))
@blueprint.takes(SpanWish, location="query")
@blueprint.tells(200, ShownLot)
@blueprint.refuses(401, 404, 409, 429)
def one_lot(wish: dict[str, Any], key: uuid.UUID) -> Response:
    """停车场详情"""
    return _json(shown_lots.row(lot_page(key, _asked(wish), _age())))


def _asked(wish: dict[str, Any]) -> Asked:
    return Asked(wish["begins_at"], wish["ends_at"], wish["vehicle_class"])


def _needs(wish: dict[str, Any]) -> Needs | None:
    needs = Needs(
        wish["open_only"], wish["charging"], wish["accessible"], wish.get("height_cm"), wish.get("length_cm"),
        wish.get("max_fee_fen"),
    )  # fmt: skip
    return None if needs == NOTHING else needs


def _age() -> Age:
    return Age(FRESH_SECONDS, came())


def _page(rows: Sequence[OpenLot], next_cursor: str | None = None) -> Response:
    return _json(shown_lots.page(rows, next_cursor))


def _json(body: bytes) -> Response:
    return Response(body, mimetype="application/json")
