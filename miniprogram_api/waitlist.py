"""Waiting for a bay of a full lot, and answering when one is kept."""

import uuid
from typing import Any

import marshmallow as ma

from app.domain.motorists.queries import plate_characters
from app.domain.reservations import actions, queries
from app.domain.reservations.queries.waitlist import WaitlistView, entries_for, entry_for
from app.kernel import clock
from app.web.once import once
from app.web.policy import admits
from miniprogram_api import cursor
from miniprogram_api.door import PAGE, asking, motorist, noun
from miniprogram_api.places import Place, place
from miniprogram_api.reservations import ReservationWish, ShownReservation, shown

blueprint = noun("waitlist", "候补")


class KeptBay(ma.Schema):
    bay = ma.fields.String(required=True, metadata={"description": "泊位号"})
    zone = ma.fields.String(required=True, metadata={"description": "区域"})
    expires_at = ma.fields.AwareDateTime(required=True, metadata={"description": "保留到何时"})


class ShownEntry(ma.Schema):
    key = ma.fields.UUID(required=True)
    state = ma.fields.String(
        required=True,
        metadata={
            "description": "waiting 候补中，offered 待确认，kept 已预约，declined 已谢绝，lapsed 逾期未确认，"
            "left 已退出，over 未候补到"
        },
    )  # fmt: skip
    lot = ma.fields.Nested(Place, required=True)
    vehicle_key = ma.fields.UUID(required=True)
    plate = ma.fields.String(required=True)
    begins_at = ma.fields.AwareDateTime(required=True)
    ends_at = ma.fields.AwareDateTime(required=True)
    joined_at = ma.fields.AwareDateTime(required=True)
    ahead = ma.fields.Integer(required=True, metadata={"description": "前面还有几人候补同一时段"})
    offer = ma.fields.Nested(KeptBay, required=True, allow_none=True, metadata={"description": "为您保留的泊位"})
    reservation_key = ma.fields.UUID(required=True, allow_none=True, metadata={"description": "接受后的预约"})


class EntryPage(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(ShownEntry), required=True)
    next_cursor = ma.fields.String(required=True, allow_none=True)


@blueprint.post("/waitlist")
@admits(motorist("12/minute"))
@once
@blueprint.takes(ReservationWish)
@blueprint.gives(201, ShownEntry)
@blueprint.refuses(400, 401, 403, 404, 409, 422, 429)
def join(wish: dict[str, Any]) -> dict[str, Any]:
    """候补泊位

    车位已满时排队；有泊位空出时按先后顺序保留，并以站内信通知。
    """
    made = actions.join(asking(), wish["vehicle_key"], wish["lot_key"], wish["begins_at"], wish["ends_at"])
    return _shown(entry_for(asking(), made.key))


@blueprint.get("/waitlist")
@admits(motorist())
@blueprint.takes(cursor.Page, location="query")
@blueprint.gives(200, EntryPage)
@blueprint.refuses(401, 429)
def list_entries(page: dict[str, Any]) -> dict[str, Any]:
    """我的候补"""
    rows, last = cursor.cut(entries_for(asking(), cursor.unseal(page.get("cursor")), PAGE + 1), PAGE)
    return {"items": [_shown(row) for row in rows], "next_cursor": cursor.seal(last.entry.id) if last else None}


@blueprint.get("/waitlist/<uuid:key>")
@admits(motorist())
@blueprint.gives(200, ShownEntry)
@blueprint.refuses(401, 404, 429)
def one_entry(key: uuid.UUID) -> dict[str, Any]:
    """候补详情"""
    return _shown(entry_for(asking(), key))


@blueprint.post("/waitlist/<uuid:key>/withdrawal")
@admits(motorist("12/minute"))
@once
@blueprint.gives(201, ShownEntry)
@blueprint.refuses(400, 401, 404, 409, 429)
def leave(key: uuid.UUID) -> dict[str, Any]:
    """退出候补"""
    actions.leave(asking(), key)
    return _shown(entry_for(asking(), key))


@blueprint.post("/waitlist/<uuid:key>/offer/acceptances")
@admits(motorist("12/minute"))
@once
@blueprint.gives(201, ShownReservation)
@blueprint.refuses(400, 401, 403, 404, 409, 429, 503)
def accept(key: uuid.UUID) -> dict[str, Any]:
    """接受候补泊位

    返回已确认的预约。
    """
    return shown(queries.one_for(asking(), actions.accept(asking(), key).key))


@blueprint.post("/waitlist/<uuid:key>/offer/declines")
@admits(motorist("12/minute"))
@once
@blueprint.gives(201, ShownEntry)
@blueprint.refuses(400, 401, 404, 409, 429, 503)
def decline(key: uuid.UUID) -> dict[str, Any]:
    """谢绝候补泊位

    泊位立即留给下一位，本次候补结束。
    """
    actions.decline(asking(), key)
    return _shown(entry_for(asking(), key))


def _shown(view: WaitlistView) -> dict[str, Any]:
    entry, state = view.entry, view.state(clock.now())
    return {
        "key": entry.key,
        "state": state,
        "lot": place(view.lot),
        "vehicle_key": view.vehicle.key,
        "plate": plate_characters(view.plate),
        "begins_at": entry.during.lower,
        "ends_at": entry.during.upper,
        "joined_at": entry.joined_at,
        "ahead": view.ahead if state == "waiting" else 0,
        "offer": _kept(view) if state == "offered" else None,
        "reservation_key": view.reservation_key,
    }


def _kept(view: WaitlistView) -> dict[str, Any]:
    assert view.claim is not None
    assert view.bay is not None
    return {"bay": view.bay.number, "zone": view.bay.zone, "expires_at": view.claim.hold_expires_at}
