"""A motorist's own conduct, and objecting to what follows from it."""

import uuid
from typing import Any

import marshmallow as ma

from app.domain.conduct import actions
from app.domain.conduct.queries.own import OwnIncident, OwnMeasure, own_incidents, own_measure, own_measures
from app.domain.conduct.rules import KINDS, MEASURES, OUTCOMES
from app.web.once import once
from app.web.policy import admits
from miniprogram_api.door import asking, motorist, noun
from miniprogram_api.fields import Text, Wish
from miniprogram_api.places import Place, place

blueprint = noun("conduct", "停车信用")


def _words(told: dict[str, str]) -> dict[str, str]:
    return {"description": "；".join(f"{code} {text}" for code, text in told.items())}


class ShownIncident(ma.Schema):
    key = ma.fields.UUID(required=True)
    kind = ma.fields.String(required=True, metadata=_words(dict(KINDS)))
    text = ma.fields.String(required=True)
    lot = ma.fields.Nested(Place, required=True)
    at = ma.fields.AwareDateTime(required=True)
    evidence = ma.fields.Dict(keys=ma.fields.String(), required=True, metadata={"description": "依据：时刻、编号等"})


class ShownAppeal(ma.Schema):
    key = ma.fields.UUID(required=True)
    words = ma.fields.String(required=True, metadata={"description": "申诉理由"})
    made_at = ma.fields.AwareDateTime(required=True)
    outcome = ma.fields.String(required=True, allow_none=True, metadata=_words({**OUTCOMES, "为空": "尚未决定"}))
    reason = ma.fields.String(required=True, allow_none=True, metadata={"description": "决定理由"})
    decided_at = ma.fields.AwareDateTime(required=True, allow_none=True)


class ShownMeasure(ma.Schema):
    key = ma.fields.UUID(required=True)
    kind = ma.fields.String(required=True, metadata=_words(dict(MEASURES)))
    text = ma.fields.String(required=True)
    reason = ma.fields.String(required=True)
    begins_at = ma.fields.AwareDateTime(required=True)
    ends_at = ma.fields.AwareDateTime(required=True, metadata={"description": "到期自动结束；申诉成立即提前结束"})
    stops_reservations = ma.fields.Boolean(required=True, metadata={"description": "期间是否不能新增预约"})
    appeal_until = ma.fields.AwareDateTime(required=True, metadata={"description": "最晚何时申诉"})
    appeal = ma.fields.Nested(ShownAppeal, required=True, allow_none=True)


class ShownConduct(ma.Schema):
    incidents = ma.fields.List(ma.fields.Nested(ShownIncident), required=True)
    measures = ma.fields.List(ma.fields.Nested(ShownMeasure), required=True)


class AppealWish(Wish):
    words = Text(1000, required=True, metadata={"description": "申诉理由"})


@blueprint.get("/conduct")
@admits(motorist())
@blueprint.gives(200, ShownConduct)
@blueprint.refuses(401, 429)
def my_conduct() -> dict[str, Any]:
    """我的停车信用

    最近一年的事件、措施和申诉，各至多一百条，新的在前。
    """
    return {
        "incidents": [_incident(each) for each in own_incidents(asking())],
        "measures": [_measure(each) for each in own_measures(asking())],
    }


@blueprint.post("/conduct/measures/<uuid:key>/appeals")
@admits(motorist("6/minute"))
@once
@blueprint.takes(AppealWish)
@blueprint.gives(201, ShownMeasure)
@blueprint.refuses(400, 401, 404, 409, 422, 429)
def appeal(wish: dict[str, Any], key: uuid.UUID) -> dict[str, Any]:
    """申诉

    每项措施可申诉一次，须在开始后15日内提出；由未参与记录的工作人员决定。
    """
    made = actions.appeal(asking(), key, wish["words"])
    return _measure(own_measure(asking(), made.measure_id))


def _incident(each: OwnIncident) -> dict[str, Any]:
    return {**vars(each), "text": KINDS[each.kind], "lot": place(each.lot)}


def _measure(each: OwnMeasure) -> dict[str, Any]:
    return {**vars(each), "text": MEASURES[each.kind]}
