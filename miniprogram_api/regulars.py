"""Regular places: rounds, the draw that anybody can make again, and a motorist's own applications."""

import uuid
from typing import Any

import marshmallow as ma

from app.domain.motorists.queries import plate_characters
from app.domain.regulars import actions, queries
from app.domain.regulars.queries import ApplicationView, NightView, RoundView
from app.domain.regulars.rules.draw import Told
from app.domain.regulars.rules.nights import ends
from app.web.once import once
from app.web.policy import admits
from miniprogram_api import cursor
from miniprogram_api.door import PAGE, asking, motorist, noun
from miniprogram_api.fields import Key, Wish
from miniprogram_api.places import Place, place

blueprint = noun("regulars", "固定泊位")
TICKETS = 500
"""How many tickets of a draw one page shows."""


class RoundWish(Wish):
    lot_key = Key(required=True)


class ApplicationWish(Wish):
    vehicle_key = Key(required=True)


class ShownRound(ma.Schema):
    key = ma.fields.UUID(required=True)
    state = ma.fields.String(required=True, metadata={"description": "open 未抽签，drawn 已抽签，cancelled 已取消"})
    lot = ma.fields.Nested(Place, required=True)
    first_night = ma.fields.Date(required=True, metadata={"description": "首夜（开始日期）"})
    last_night = ma.fields.Date(required=True, metadata={"description": "末夜（开始日期）"})
    places = ma.fields.Integer(required=True, metadata={"description": "名额"})
    applications = ma.fields.Integer(required=True, metadata={"description": "申请数"})
    opens_at = ma.fields.AwareDateTime(required=True)
    closes_at = ma.fields.AwareDateTime(required=True, metadata={"description": "申请截止（不含）"})
    draw_at = ma.fields.AwareDateTime(required=True)
    drawn_at = ma.fields.AwareDateTime(required=True, allow_none=True)
    commitment = ma.fields.String(required=True, metadata={"description": "密钥文本的 SHA-256，申请开始前公布"})
    cancelled_because = ma.fields.String(required=True, allow_none=True)


class RoundList(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(ShownRound), required=True)


class ShownTicket(ma.Schema):
    key = ma.fields.UUID(required=True, metadata={"description": "申请编号"})
    ticket = ma.fields.String(required=True, metadata={"description": "“密钥:申请编号”文本的 SHA-256"})
    rank = ma.fields.Integer(required=True, metadata={"description": "按签号排序的次序，从 1 起"})


class ShownDraw(ma.Schema):
    commitment = ma.fields.String(required=True)
    secret = ma.fields.String(required=True, allow_none=True, metadata={"description": "抽签后公布的密钥"})
    places = ma.fields.Integer(required=True)
    items = ma.fields.List(ma.fields.Nested(ShownTicket), required=True)
    next_cursor = ma.fields.String(required=True, allow_none=True)


class ShownNight(ma.Schema):
    night = ma.fields.Date(required=True, metadata={"description": "该夜开始的日期"})
    state = ma.fields.String(required=True, allow_none=True, metadata={"description": "预约状态；为空表示未能保留"})
    refusal = ma.fields.String(required=True, allow_none=True, metadata={"description": "未能保留的原因代码"})
    begins_at = ma.fields.AwareDateTime(required=True, allow_none=True)
    ends_at = ma.fields.AwareDateTime(required=True, allow_none=True)
    reservation_key = ma.fields.UUID(
        required=True, allow_none=True, metadata={"description": "该夜的预约，可单独取消"}
    )  # fmt: skip


class ShownApplication(ma.Schema):
    key = ma.fields.UUID(required=True)
    state = ma.fields.String(
        required=True,
        metadata={
            "description": "applied 已申请，withdrawn 已撤回，dropped 本轮取消，won 有固定泊位，waiting 候补中，"
            "given_back 已退回，lost 因多次未到收回"
        },
    )  # fmt: skip
    round_key = ma.fields.UUID(required=True)
    lot = ma.fields.Nested(Place, required=True)
    vehicle_key = ma.fields.UUID(required=True)
    plate = ma.fields.String(required=True)
    first_night = ma.fields.Date(required=True)
    last_night = ma.fields.Date(required=True)
    applied_at = ma.fields.AwareDateTime(required=True)
    ticket = ma.fields.String(required=True, allow_none=True)
    rank = ma.fields.Integer(required=True, allow_none=True)
    ahead = ma.fields.Integer(required=True, metadata={"description": "候补时前面还有几人"})


class ApplicationWithNights(ShownApplication):
    nights = ma.fields.List(ma.fields.Nested(ShownNight), required=True)


class ApplicationPage(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(ShownApplication), required=True)
    next_cursor = ma.fields.String(required=True, allow_none=True)


@blueprint.get("/regular-rounds")
@admits(motorist())
@blueprint.takes(RoundWish, location="query")
@blueprint.gives(200, RoundList)
@blueprint.refuses(401, 422, 429)
def list_rounds(wish: dict[str, Any]) -> dict[str, Any]:
    """停车场的固定泊位"""
    return {"items": [_round(view) for view in queries.rounds_of_lot(wish["lot_key"])]}


@blueprint.get("/regular-rounds/<uuid:key>")
@admits(motorist())
@blueprint.gives(200, ShownRound)
@blueprint.refuses(401, 404, 429)
def one_round(key: uuid.UUID) -> dict[str, Any]:
    """一轮固定泊位"""
    return _round(queries.round_by_key(key))


@blueprint.get("/regular-rounds/<uuid:key>/draw")
@admits(motorist())
@blueprint.takes(cursor.Page, location="query")
@blueprint.gives(200, ShownDraw)
@blueprint.refuses(401, 404, 422, 429)
def one_draw(page: dict[str, Any], key: uuid.UUID) -> dict[str, Any]:
    """抽签结果

    不含个人信息；任何人可据此重新计算：签号为“密钥:申请编号”的 SHA-256，按签号升序排列。
    """
    one = queries.round_by_key(key).round
    after = cursor.unseal(page.get("cursor")) or 0
    rows, last = cursor.cut(queries.tickets(one.id, after, TICKETS + 1), TICKETS)
    return {
        "commitment": one.commitment,
        "secret": one.secret,
        "places": one.places,
        "items": [_ticket(row) for row in rows],
        "next_cursor": cursor.seal(last.rank) if last else None,
    }


@blueprint.post("/regular-rounds/<uuid:key>/applications")
@admits(motorist("12/minute"))
@once
@blueprint.takes(ApplicationWish)
@blueprint.gives(201, ApplicationWithNights)
@blueprint.refuses(400, 401, 403, 404, 409, 422, 429, 503)
def apply(wish: dict[str, Any], key: uuid.UUID) -> dict[str, Any]:
    """申请固定泊位

    每人每轮一次；申请先后不影响抽签。
    """
    return _own(actions.apply(asking(), key, wish["vehicle_key"]).key)


@blueprint.get("/regular-applications")
@admits(motorist())
@blueprint.takes(cursor.Page, location="query")
@blueprint.gives(200, ApplicationPage)
@blueprint.refuses(401, 422, 429)
def list_applications(page: dict[str, Any]) -> dict[str, Any]:
    """我的固定泊位申请"""
    found = queries.applications_for(asking(), cursor.unseal(page.get("cursor")), PAGE + 1)
    rows, last = cursor.cut(found, PAGE)
    return {
        "items": [_application(row) for row in rows],
        "next_cursor": cursor.seal(last.application.id) if last else None,
    }


@blueprint.get("/regular-applications/<uuid:key>")
@admits(motorist())
@blueprint.gives(200, ApplicationWithNights)
@blueprint.refuses(401, 404, 429)
def one_application(key: uuid.UUID) -> dict[str, Any]:
    """申请详情及各夜预约

    单夜可用该夜的预约编号取消。
    """
    return _own(key)


@blueprint.post("/regular-applications/<uuid:key>/withdrawal")
@admits(motorist("12/minute"))
@once
@blueprint.gives(201, ApplicationWithNights)
@blueprint.refuses(400, 401, 404, 409, 429)
def withdraw(key: uuid.UUID) -> dict[str, Any]:
    """撤回申请或退出候补"""
    return _own(actions.withdraw(asking(), key).key)


@blueprint.post("/regular-applications/<uuid:key>/return")
@admits(motorist("12/minute"))
@once
@blueprint.gives(201, ApplicationWithNights)
@blueprint.refuses(400, 401, 404, 409, 429, 503)
def give_back(key: uuid.UUID) -> dict[str, Any]:
    """退回固定泊位

    其余各夜全部取消，由候补者递补。
    """
    return _own(actions.give_back(asking(), key).key)


def _round(view: RoundView) -> dict[str, Any]:
    one, (first, last) = view.round, ends(view.round.nights)
    return {
        "key": one.key,
        "state": one.state,
        "lot": place(view.lot),
        "first_night": first,
        "last_night": last,
        "places": one.places,
        "applications": view.applications,
        "opens_at": one.opens_at,
        "closes_at": one.closes_at,
        "draw_at": one.draw_at,
        "drawn_at": one.drawn_at,
        "commitment": one.commitment,
        "cancelled_because": one.cancelled_because,
    }


def _ticket(row: Told) -> dict[str, Any]:
    return {"key": row.key, "ticket": row.ticket, "rank": row.rank}


def _own(key: uuid.UUID) -> dict[str, Any]:
    view = queries.application_for(asking(), key)
    return _application(view) | {"nights": [_night(each) for each in queries.nights_of(view.application.id)]}


def _application(view: ApplicationView) -> dict[str, Any]:
    mine, (first, last) = view.application, ends(view.round.nights)
    return {
        "key": mine.key,
        "state": mine.state,
        "round_key": view.round.key,
        "lot": place(view.lot),
        "vehicle_key": view.vehicle.key,
        "plate": plate_characters(view.plate),
        "first_night": first,
        "last_night": last,
        "applied_at": mine.applied_at,
        "ticket": mine.ticket,
        "rank": mine.rank,
        "ahead": view.ahead if mine.state == "waiting" else 0,
    }


def _night(view: NightView) -> dict[str, Any]:
    had = view.reservation
    return {
        "night": view.night,
        "state": view.state,
        "refusal": view.refusal,
        "begins_at": had.begins_at if had else None,
        "ends_at": had.ends_at if had else None,
        "reservation_key": had.key if had else None,
    }
