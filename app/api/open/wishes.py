"""What a reader may ask for, and how the answers are described."""

from dataclasses import dataclass
from typing import Any

import marshmallow as ma

from app.web.fields import Key, Whole, Wish

PAGE = 100
LONGEST_PAGE = 1_000


@dataclass(frozen=True)
class Box:
    """A rectangle in WGS-84 degrees, its edges included; it does not cross the antimeridian."""

    west: float
    south: float
    east: float
    north: float

    def holds(self, latitude: float, longitude: float) -> bool:
        return self.south <= latitude <= self.north and self.west <= longitude <= self.east


class BoxField(ma.fields.String):
    """`west,south,east,north` in WGS-84 degrees, the order of RFC 7946 §5."""

    default_error_messages = {  # noqa: RUF012 - marshmallow's own way
        "invalid": "应为 西,南,东,北 四个 WGS-84 经纬度，西小于东、南小于北"
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **words: Any) -> Any:
        text = super()._deserialize(value, attr, data, **words)
        try:
            box = Box(*(float(part) for part in text.split(",")))
        except (TypeError, ValueError) as wrong:
            raise self.make_error("invalid") from wrong
        if not (-180 <= box.west < box.east <= 180 and -90 <= box.south < box.north <= 90):  # noqa: PLR2004 - degrees
            raise self.make_error("invalid")
        return box


class LotsWish(Wish):
    """Without `limit` and `cursor` the answer is the whole city."""

    bbox = BoxField(metadata={"description": "矩形范围：西,南,东,北（WGS-84）"})
    limit = Whole(1, LONGEST_PAGE, metadata={"description": f"每页条数；只给 cursor 时为 {PAGE}，都不给则返回全市"})
    cursor = Key(metadata={"description": "上一页 next 链接中的 cursor"})


class _Hours(ma.Schema):
    opens_at = ma.fields.AwareDateTime(required=True)
    closes_at = ma.fields.AwareDateTime(required=True)


class _Announcement(ma.Schema):
    kind = ma.fields.String(required=True, metadata={"description": "close、bays、hours、free、suspension"})
    text = ma.fields.String(required=True)
    begins_at = ma.fields.AwareDateTime(required=True)
    ends_at = ma.fields.AwareDateTime(required=True, allow_none=True)


class _Closure(ma.Schema):
    begins_at = ma.fields.AwareDateTime(required=True)
    ends_at = ma.fields.AwareDateTime(required=True, allow_none=True)


def _text(meaning: str, **words: Any) -> ma.fields.String:
    return ma.fields.String(required=True, metadata={"description": meaning}, **words)


def _count(meaning: str, **words: Any) -> ma.fields.Integer:
    return ma.fields.Integer(required=True, metadata={"description": meaning}, **words)


class _Lot(ma.Schema):
    id = ma.fields.UUID(required=True)
    name = _text("停车场名称")
    address = _text("地址")
    unit = _text("开放单位")
    kind = _text("organ 机关，institution 事业单位，enterprise 国有企业")
    operator = _text("运营单位；自行运营为空", allow_none=True)
    operator_phone = _text("运营单位公开服务电话", allow_none=True)
    district = _text("区、县（市）")
    district_code = _text("行政区划代码")
    status = _text("open 开放中，closed 未到开放时段，suspended 暂停开放")
    hours_today = ma.fields.List(ma.fields.Nested(_Hours), required=True)
    hours_week = ma.fields.List(ma.fields.Nested(_Hours), required=True, metadata={"description": "自当日起七天"})
    provisional = ma.fields.Boolean(required=True, metadata={"description": "七天内有日期尚无官方日历（暂定）"})
    closures = ma.fields.List(ma.fields.Nested(_Closure), required=True, metadata={"description": "临时关闭"})
    announcements = ma.fields.List(
        ma.fields.Nested(_Announcement), required=True, metadata={"description": "调整公告，含已预告的"}
    )
    tariff = _text("收费标准", allow_none=True)
    free_of_charge = ma.fields.Boolean(required=True, allow_none=True)
    shared_bays = _count("共享泊位数")
    chargers = _count("共享充电设施数")
    accessible_bays = _count("共享无障碍泊位数")
    height_limit_cm = _count("限高（厘米）", allow_none=True)
    free_bays = ma.fields.Raw(
        required=True, metadata={"description": '空闲泊位：整数；不多于 3 个时为 "few"；未知或未开放为 null'}
    )
    counted_at = ma.fields.AwareDateTime(required=True, allow_none=True)
    updated_at = ma.fields.AwareDateTime(required=True, allow_none=True)


class _Geometry(ma.Schema):
    type = _text("Point")
    coordinates = ma.fields.List(ma.fields.Float(), required=True, metadata={"description": "[经度, 纬度]，WGS-84"})


class _Feature(ma.Schema):
    type = _text("Feature")
    id = ma.fields.UUID(required=True)
    geometry = ma.fields.Nested(_Geometry, required=True)
    properties = ma.fields.Nested(_Lot, required=True)


class _Link(ma.Schema):
    rel = _text("self、next")
    href = _text("相对地址")
    type = _text("媒体类型")


class FeatureCollection(ma.Schema):
    """GeoJSON, RFC 7946."""

    type = _text("FeatureCollection")
    features = ma.fields.List(ma.fields.Nested(_Feature), required=True)
    links = ma.fields.List(ma.fields.Nested(_Link), required=True)
    numberReturned = _count("本页条数")  # noqa: N815 - as in OGC API Features
    updated_at = ma.fields.AwareDateTime(required=True, metadata={"description": "内容最近一次变化的时间"})
    provisional_dates = ma.fields.List(ma.fields.Date(), required=True)
    publisher = _text("发布者")
    licence = _text("数据许可")


class DatexPayload(ma.Schema):
    """DATEX II v3, JSON encoding."""

    payload = ma.fields.Dict(required=True, metadata={"description": "见 docs/open-data.md 与 DATEX II 公布的模式"})
