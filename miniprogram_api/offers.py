"""A bay near by instead of a reservation that could not be kept (N5.6): taken, or let go."""

import uuid
from typing import Any

import marshmallow as ma

from app.domain.adjustments import actions
from app.domain.adjustments.models import Displacement
from app.domain.reservations import queries
from app.web.once import once
from app.web.policy import admits
from miniprogram_api.door import asking, motorist, noun
from miniprogram_api.reservations import ShownReservation, shown

blueprint = noun("offers", "替代泊位")


class ShownAnswer(ma.Schema):
    outcome = ma.fields.String(required=True)
    answered_at = ma.fields.AwareDateTime(required=True)


@blueprint.post("/reservations/<uuid:key>/offer/acceptances")
@admits(motorist("12/minute"))
@once
@blueprint.gives(201, ShownReservation)
@blueprint.refuses(400, 401, 404, 409, 429)
def accept(key: uuid.UUID) -> dict[str, Any]:
    """接受替代泊位

    返回新的预约；不计违约，费用不高于原预约。
    """
    return shown(queries.one_for(asking(), actions.accept(asking(), key).key))


@blueprint.post("/reservations/<uuid:key>/offer/declines")
@admits(motorist("12/minute"))
@once
@blueprint.gives(201, ShownAnswer)
@blueprint.refuses(400, 401, 404, 409, 429)
def decline(key: uuid.UUID) -> Displacement:
    """谢绝替代泊位

    为您保留的泊位立即释放。
    """
    return actions.decline(asking(), key)
