"""Prices of a lot: what a span would cost and why, the tariff in words, and changes that are announced."""

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import marshmallow as ma
from marshmallow import ValidationError, validates_schema

from app.domain.lots.queries import lot_by_key
from app.domain.pricing.queries import fee_of_span
from app.domain.pricing.queries.shown import Change, ShownPrices, ShownTariff, coming_changes, shown_prices
from app.domain.pricing.rules import BilledFee, Priced
from app.web.policy import admits
from miniprogram_api import cursor
from miniprogram_api.door import PAGE, motorist, noun
from miniprogram_api.fields import Choice, Moment, Wish, fen
from miniprogram_api.places import Place, place
from miniprogram_api.stays import QuoteLine

blueprint = noun("prices", "收费标准")

LONGEST: Final = timedelta(days=30)
CLASSES: Final = ("small", "large")
RULE_TEXT: Final = {"lowest": "取参照中的最低价", "highest": "取参照中的最高价", "average": "取参照的平均价"}
RUNNING_TEXT: Final = {
    "entry": "生效时已在场的车辆，本次停车仍按入场时的标准计费",
    "split": "生效时已在场的车辆，生效前后分别按新旧标准计费",
}


class PreviewWish(Wish):
    begins_at = Moment(required=True, metadata={"description": "停车开始（含）"})
    ends_at = Moment(required=True, metadata={"description": "停车结束（不含）"})
    vehicle_class = Choice(CLASSES, load_default="small", metadata={"description": "small 小型车，large 大型车"})

    @validates_schema
    def _is_a_span(self, wish: dict[str, Any], **_: Any) -> None:
        if not timedelta() < wish["ends_at"] - wish["begins_at"] <= LONGEST:
            raise ValidationError("结束应晚于开始，且不超过 30 天", "ends_at")


class ComparedFee(ma.Schema):
    name = ma.fields.String(required=True, metadata={"description": "参照停车场或价区"})
    fee_fen = fen("同一次停车在该参照的费用")
    is_decisive = ma.fields.Boolean(required=True, metadata={"description": "是否决定本次上限"})
    lines = ma.fields.List(ma.fields.Nested(QuoteLine), required=True)


class FeePreview(ma.Schema):
    lot = ma.fields.Nested(Place, required=True)
    begins_at = ma.fields.AwareDateTime(required=True)
    ends_at = ma.fields.AwareDateTime(required=True)
    vehicle_class = ma.fields.String(required=True)
    own_fen = fen("按本场收费标准")
    cap_fen = ma.fields.Integer(
        required=True, allow_none=True, metadata={"description": "周边政府定价停车场对本次停车的收费上限（分）"}
    )
    cap_rule = ma.fields.String(required=True)
    cap_rule_text = ma.fields.String(required=True)
    waived_fen = fen("免费时段减免")
    fee_fen = fen("预计费用，取本场费用与上限较低者，再减去减免")
    lines = ma.fields.List(ma.fields.Nested(QuoteLine), required=True, metadata={"description": "本场收费明细"})
    compared = ma.fields.List(ma.fields.Nested(ComparedFee), required=True, metadata={"description": "与参照比较"})


class Row(ma.Schema):
    days = ma.fields.String(required=True, metadata={"description": "适用日期"})
    time = ma.fields.String(required=True, metadata={"description": "适用时段"})
    price = ma.fields.String(required=True, metadata={"description": "价格"})


class ClassRows(ma.Schema):
    vehicle_class = ma.fields.String(required=True)
    name = ma.fields.String(required=True, metadata={"description": "车型"})
    free_time = ma.fields.String(required=True, metadata={"description": "免费时长，无则为空"})
    bands = ma.fields.List(ma.fields.Nested(Row), required=True)


class Table(ma.Schema):
    classes = ma.fields.List(ma.fields.Nested(ClassRows), required=True)
    cap = ma.fields.String(required=True, metadata={"description": "封顶"})
    crossing = ma.fields.String(required=True, metadata={"description": "跨时段计费方式"})
    limits = ma.fields.List(ma.fields.String(), required=True, metadata={"description": "其他说明"})


class Tariff(ma.Schema):
    key = ma.fields.UUID(required=True, metadata={"description": "版本编号"})
    name = ma.fields.String(required=True)
    document = ma.fields.String(required=True, metadata={"description": "依据"})
    begins_at = ma.fields.AwareDateTime(required=True, metadata={"description": "生效时间"})
    notice = ma.fields.String(required=True, allow_none=True, metadata={"description": "公告"})
    running_text = ma.fields.String(required=True, metadata={"description": "对在场车辆的处理"})
    table = ma.fields.Nested(Table, required=True)


class Reference(ma.Schema):
    name = ma.fields.String(required=True)
    kind = ma.fields.String(required=True, metadata={"description": "lot 停车场，zone 价区"})
    approval = ma.fields.String(required=True, metadata={"description": "批准文号"})
    distance_m = ma.fields.Integer(required=True, allow_none=True, metadata={"description": "距离（米），价区为空"})
    table = ma.fields.Nested(Table, required=True)


class LotPrices(ma.Schema):
    lot = ma.fields.Nested(Place, required=True)
    now = ma.fields.Nested(Tariff, required=True, allow_none=True, metadata={"description": "现行标准"})
    coming = ma.fields.List(ma.fields.Nested(Tariff), required=True, metadata={"description": "已公告、尚未生效"})
    cap_rule = ma.fields.String(required=True)
    cap_rule_text = ma.fields.String(required=True)
    references = ma.fields.List(ma.fields.Nested(Reference), required=True, metadata={"description": "上限的参照"})


class PriceChange(ma.Schema):
    lot = ma.fields.Nested(Place, required=True)
    effective_from = ma.fields.AwareDateTime(required=True)
    notice = ma.fields.String(required=True)


class PriceChangePage(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(PriceChange), required=True)
    next_cursor = ma.fields.String(required=True, allow_none=True)


@blueprint.get("/lots/<uuid:key>/fee")
@admits(motorist("60/minute"))
@blueprint.takes(PreviewWish, location="query")
@blueprint.gives(200, FeePreview)
@blueprint.refuses(401, 404, 409, 422, 429)
def preview_fee(wish: dict[str, Any], key: uuid.UUID) -> dict[str, Any]:
    """费用预估

    某一时段在该停车场的费用明细，以及同一次停车在各参照停车场的费用。实际费用以离场时为准，不会高于上限。
    """
    lot = lot_by_key(key)
    fee = fee_of_span(lot.id, wish["begins_at"], wish["ends_at"], wish["vehicle_class"])
    return {"lot": place(lot), **wish, **_fee(fee)}


@blueprint.get("/lots/<uuid:key>/prices")
@admits(motorist("60/minute"))
@blueprint.gives(200, LotPrices)
@blueprint.refuses(401, 404, 429)
def lot_prices(key: uuid.UUID) -> dict[str, Any]:
    """收费标准

    现行标准、已公告的调整，以及决定收费上限的周边政府定价停车场。
    """
    lot = lot_by_key(key)
    return {"lot": place(lot), **_prices(shown_prices(lot.id))}


@blueprint.get("/price-changes")
@admits(motorist())
@blueprint.takes(cursor.Page, location="query")
@blueprint.gives(200, PriceChangePage)
@blueprint.refuses(401, 429)
def list_price_changes(page: dict[str, Any]) -> dict[str, Any]:
    """收费标准调整公告

    已公布、尚未生效的收费标准，新公布者在前。
    """
    rows, last = cursor.cut(coming_changes(cursor.unseal(page.get("cursor")), PAGE + 1), PAGE)
    return {"items": [_change(row) for row in rows], "next_cursor": cursor.seal(last.id) if last else None}


def _fee(fee: BilledFee) -> dict[str, Any]:
    return {
        "own_fen": fee.own_fen,
        "cap_fen": fee.cap_fen,
        "cap_rule": fee.rule,
        "cap_rule_text": RULE_TEXT[fee.rule],
        "waived_fen": fee.waived_fen,
        "fee_fen": fee.fee_fen,
        "lines": list(fee.own_lines),
        "compared": _compared(fee.caps, fee.decisive),
    }


def _compared(caps: Sequence[Priced], decisive: Priced | None) -> list[dict[str, Any]]:
    return [
        {
            "name": each.source.name,
            "fee_fen": each.fen,
            "is_decisive": each is decisive,
            "lines": list(each.quote.lines),
        }
        for each in caps
    ]


def _prices(shown: ShownPrices) -> dict[str, Any]:
    return {
        "now": _tariff(shown.now) if shown.now else None,
        "coming": [_tariff(each) for each in shown.coming],
        "cap_rule": shown.rule,
        "cap_rule_text": RULE_TEXT[shown.rule],
        "references": list(shown.references),
    }


def _tariff(shown: ShownTariff) -> dict[str, Any]:
    return {**vars(shown), "running_text": RUNNING_TEXT[shown.running]}


def _change(change: Change) -> dict[str, Any]:
    return {"lot": place(change.lot), "effective_from": change.effective_from, "notice": change.notice}
