"""Reserving a bay, and giving it back."""

import uuid
from typing import Any

import marshmallow as ma

from app.domain.adjustments.queries import Offer, offers
from app.domain.reservations import actions, queries
from app.domain.reservations.queries import ReservationView
from app.web.once import once
from app.web.policy import admits
from miniprogram_api import cursor
from miniprogram_api.door import PAGE, asking, motorist, noun
from miniprogram_api.fields import Key, Moment, Wish
from miniprogram_api.places import Place, place

blueprint = noun("reservations", "预约")


class ReservationWish(Wish):
    lot_key = Key(required=True)
    vehicle_key = Key(required=True)
    begins_at = Moment(required=True, metadata={"description": "预约开始（含）"})
    ends_at = Moment(required=True, metadata={"description": "预约结束（不含）"})


class ShownOffer(ma.Schema):
    reason = ma.fields.String(required=True, metadata={"description": "停车场调整公告"})
    outcome = ma.fields.String(
        required=True, allow_none=True,
        metadata={
            "description": "offered 待确认，accepted 已接受，declined 已谢绝，lapsed 已逾期，nothing_near 附近无替代；"
            "为空表示正在查找"
        },
    )  # fmt: skip
    lot = ma.fields.Nested(Place, required=True, allow_none=True)
    bay = ma.fields.String(required=True, allow_none=True)
    zone = ma.fields.String(required=True, allow_none=True)
    begins_at = ma.fields.AwareDateTime(required=True, allow_none=True)
    ends_at = ma.fields.AwareDateTime(required=True, allow_none=True)
    expires_at = ma.fields.AwareDateTime(required=True, allow_none=True, metadata={"description": "保留到何时"})
    reservation_key = ma.fields.UUID(required=True, allow_none=True, metadata={"description": "接受后的新预约"})


class ShownReservation(ma.Schema):
    key = ma.fields.UUID(required=True)
    state = ma.fields.String(required=True, metadata={"description": "displaced 表示因停车场调整未能保留"})
    lot = ma.fields.Nested(Place, required=True)
    bay = ma.fields.String(required=True, metadata={"description": "泊位号"})
    zone = ma.fields.String(required=True, metadata={"description": "区域"})
    vehicle_key = ma.fields.UUID(required=True)
    plate = ma.fields.String(required=True)
    begins_at = ma.fields.AwareDateTime(required=True)
    ends_at = ma.fields.AwareDateTime(required=True)
    admit_from = ma.fields.AwareDateTime(required=True, metadata={"description": "最早入场"})
    admit_until = ma.fields.AwareDateTime(required=True, metadata={"description": "最晚入场"})
    made_at = ma.fields.AwareDateTime(required=True)
    gate_ready = ma.fields.Boolean(
        required=True, allow_none=True,
        metadata={"description": "道闸是否已确认收到本车放行名单；为空表示不在等待入场，或该停车场没有联网道闸"},
    )  # fmt: skip
    offer = ma.fields.Nested(
        ShownOffer, required=True, allow_none=True, metadata={"description": "未能保留时的说明和替代泊位"}
    )


class ReservationPage(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(ShownReservation), required=True)
    next_cursor = ma.fields.String(required=True, allow_none=True)


class ExtensionWish(Wish):
    ends_at = Moment(required=True, metadata={"description": "新的结束时间（不含）"})


class ShownCancellation(ma.Schema):
    cancelled_at = ma.fields.AwareDateTime(required=True)
    in_time = ma.fields.Boolean(required=True, metadata={"description": "是否在免责时限内取消"})


@blueprint.post("/reservations")
@admits(motorist("6/minute"))
@once
@blueprint.takes(ReservationWish)
@blueprint.gives(201, ShownReservation)
@blueprint.refuses(400, 401, 403, 404, 409, 429, 503)
def reserve(wish: dict[str, Any]) -> dict[str, Any]:
    """预约泊位

    当场确认到具体泊位。
    """
    made = actions.reserve(asking(), wish["vehicle_key"], wish["lot_key"], wish["begins_at"], wish["ends_at"])
    return _shown(queries.one_for(asking(), made.key), None)


@blueprint.get("/reservations")
@admits(motorist())
@blueprint.takes(cursor.Page, location="query")
@blueprint.gives(200, ReservationPage)
@blueprint.refuses(401, 429)
def list_reservations(page: dict[str, Any]) -> dict[str, Any]:
    """我的预约"""
    rows, last = cursor.cut(queries.list_for(asking(), cursor.unseal(page.get("cursor")), PAGE + 1), PAGE)
    found = offers([row.id for row in rows])
    return {
        "items": [_shown(row, found.get(row.id)) for row in rows],
        "next_cursor": cursor.seal(last.id) if last else None,
    }


@blueprint.get("/reservations/<uuid:key>")
@admits(motorist())
@blueprint.gives(200, ShownReservation)
@blueprint.refuses(401, 404, 429)
def one_reservation(key: uuid.UUID) -> dict[str, Any]:
    """预约详情"""
    return shown(queries.one_for(asking(), key))


@blueprint.post("/reservations/<uuid:key>/cancellation")
@admits(motorist("12/minute"))
@once
@blueprint.gives(201, ShownCancellation)
@blueprint.refuses(400, 401, 404, 409, 429)
def cancel(key: uuid.UUID) -> Any:
    """取消预约"""
    return actions.cancel(asking(), key)


@blueprint.post("/reservations/<uuid:key>/extensions")
@admits(motorist("12/minute"))
@once
@blueprint.takes(ExtensionWish)
@blueprint.gives(201, ShownReservation)
@blueprint.refuses(400, 401, 404, 409, 422, 429, 503)
def extend(wish: dict[str, Any], key: uuid.UUID) -> dict[str, Any]:
    """延长预约

    入场前或停放中均可；泊位在新时段已被预约时不能延长，原预约不变。
    """
    actions.extend(asking(), key, wish["ends_at"])
    return shown(queries.one_for(asking(), key))


def shown(view: ReservationView) -> dict[str, Any]:
    """A reservation as its motorist sees it."""
    return _shown(view, offers([view.id]).get(view.id))


def _shown(view: ReservationView, offer: Offer | None) -> dict[str, Any]:
    shown = {name: value for name, value in vars(view).items() if name != "id"}
    return {**shown, "lot": place(view.lot), "offer": None if offer is None else _offered(offer)}


def _offered(offer: Offer) -> dict[str, Any]:
    return {
        "reason": offer.announcement,
        "outcome": offer.outcome,
        "lot": place(offer.lot) if offer.lot else None,
        "bay": offer.bay.number if offer.bay else None,
        "zone": offer.bay.zone if offer.bay else None,
        "begins_at": offer.begins_at,
        "ends_at": offer.ends_at,
        "expires_at": offer.expires_at,
        "reservation_key": offer.reservation_key,
    }
