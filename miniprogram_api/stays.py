"""Stays: the one that runs, with what it costs up to now, and those before it."""

import uuid
from typing import Any

import marshmallow as ma

from app.domain.motorists.queries import plate_characters
from app.domain.stays import actions, queries
from app.domain.stays.queries import Due, StayView
from app.web.once import once
from app.web.policy import admits
from miniprogram_api import cursor
from miniprogram_api.door import PAGE, asking, motorist, noun
from miniprogram_api.fields import Text, Wish, fen
from miniprogram_api.places import Place, place

blueprint = noun("stays", "停车记录")


class CodeWish(Wish):
    code = Text(64, required=True, metadata={"description": "道闸屏幕二维码中的 code"})


class QuoteLine(ma.Schema):
    rule = ma.fields.String(required=True)
    text = ma.fields.String(required=True)
    begins_at = ma.fields.AwareDateTime(required=True)
    ends_at = ma.fields.AwareDateTime(required=True)
    amount_fen = fen("本行金额")


class ShownDue(ma.Schema):
    up_to = ma.fields.AwareDateTime(required=True, metadata={"description": "计费截至"})
    own_fen = fen("按本场收费标准")
    cap_fen = ma.fields.Integer(
        required=True, allow_none=True, metadata={"description": "周边政府定价停车场对本次停车的收费上限（分）"}
    )
    cap_rule = ma.fields.String(
        required=True, metadata={"description": "多个参照的组合规则：lowest 取最低，highest 取最高，average 取平均"}
    )
    cap_name = ma.fields.String(required=True, allow_none=True, metadata={"description": "决定上限的参照停车场"})
    waived_fen = fen("免费时段减免")
    fee_fen = fen("应收，取本场费用与上限较低者，再减去减免")
    paid_fen = fen("已付")
    due_fen = fen("待付")
    lines = ma.fields.List(ma.fields.Nested(QuoteLine), required=True, metadata={"description": "本场收费明细"})
    cap_lines = ma.fields.List(
        ma.fields.Nested(QuoteLine), required=True, metadata={"description": "决定上限的参照明细"}
    )


class ShownStay(ma.Schema):
    key = ma.fields.UUID(required=True)
    state = ma.fields.String(required=True)
    lot = ma.fields.Nested(Place, required=True)
    bay = ma.fields.String(required=True, allow_none=True)
    plate = ma.fields.String(required=True, allow_none=True)
    entered_at = ma.fields.AwareDateTime(required=True)
    exited_at = ma.fields.AwareDateTime(required=True, allow_none=True)


class StayWithFee(ShownStay):
    fee = ma.fields.Nested(ShownDue, required=True)


class CurrentStay(ma.Schema):
    stay = ma.fields.Nested(StayWithFee, required=True, allow_none=True)


class StayPage(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(ShownStay), required=True)
    next_cursor = ma.fields.String(required=True, allow_none=True)


@blueprint.get("/stays/current")
@admits(motorist())
@blueprint.gives(200, CurrentStay)
@blueprint.refuses(401, 409, 429)
def current_stay() -> dict[str, Any]:
    """当前停车

    含截至此刻的费用和明细；不在场内时 stay 为 null。
    """
    view = queries.current_for(asking())
    return {"stay": _with_fee(view) if view else None}


@blueprint.get("/stays")
@admits(motorist())
@blueprint.takes(cursor.Page, location="query")
@blueprint.gives(200, StayPage)
@blueprint.refuses(401, 429)
def list_stays(page: dict[str, Any]) -> dict[str, Any]:
    """我的停车记录"""
    rows, last = cursor.cut(queries.list_for(asking(), cursor.unseal(page.get("cursor")), PAGE + 1), PAGE)
    return {"items": [_shown(row) for row in rows], "next_cursor": cursor.seal(last.stay.id) if last else None}


@blueprint.post("/stays/adoptions")
@admits(motorist("10/minute"))
@once
@blueprint.takes(CodeWish)
@blueprint.gives(201, StayWithFee)
@blueprint.refuses(400, 401, 404, 409, 422, 429)
def adopt_stay(wish: dict[str, Any]) -> dict[str, Any]:
    """认领本次停车

    扫描道闸屏幕上的二维码得到 code。没有预约的车辆只凭车牌不归入任何账户，扫码者才可查看和缴费。
    """
    return _with_fee(queries.one_for(asking(), actions.adopt(asking(), wish["code"]).key))


@blueprint.get("/stays/<uuid:key>")
@admits(motorist())
@blueprint.gives(200, StayWithFee)
@blueprint.refuses(401, 404, 409, 429)
def one_stay(key: uuid.UUID) -> dict[str, Any]:
    """停车详情与费用"""
    return _with_fee(queries.one_for(asking(), key))


def _shown(view: StayView) -> dict[str, Any]:
    stay = view.stay
    return {
        "key": stay.key,
        "state": stay.state,
        "lot": place(view.lot),
        "bay": view.bay.number if view.bay else None,
        "plate": plate_characters(view.plate) if view.plate else None,
        "entered_at": stay.entered_at,
        "exited_at": stay.exited_at,
    }


def _with_fee(view: StayView) -> dict[str, Any]:
    return {**_shown(view), "fee": _due(queries.due_of(view.stay))}


def _due(due: Due) -> dict[str, Any]:
    fee = due.fee
    return {
        "up_to": due.up_to,
        "own_fen": fee.own_fen,
        "cap_fen": fee.cap_fen,
        "cap_rule": fee.rule,
        "cap_name": fee.decisive.source.name if fee.decisive else None,
        "waived_fen": fee.waived_fen,
        "fee_fen": fee.fee_fen,
        "paid_fen": due.paid_fen,
        "due_fen": due.due_fen,
        "lines": list(fee.own_lines),
        "cap_lines": list(fee.cap_lines),
    }
