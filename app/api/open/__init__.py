"""The door of open data: the city's one network of shared parking (N3.1) for anybody, without sign-in.

Only what `app.domain.lots.queries` calls public is read, and nothing about a person. `docs/open-data.md` tells the
fields.
"""

from typing import Any, cast

from flask import Response

from app.api.open import clients
from app.api.open.answers import answer
from app.api.open.clients import OPEN
from app.api.open.forms import FEATURES, PARKING_STATUS, PARKING_TABLE
from app.api.open.reading import Selection
from app.api.open.wishes import PAGE, DatexPayload, FeatureCollection, LotsWish
from app.web.fields import Wish
from app.web.noun import Decorator, Noun
from app.web.policy import admits

blueprint = Noun("open_data", "app.api.open", url_prefix="/open/v1", description="开放数据")
blueprint.after_request(clients.open_to_every_page)


def _gives(schema: Any, media_type: str) -> Decorator:
    return cast("Decorator", blueprint.response(200, schema, content_type=media_type))


@blueprint.get("/lots.geojson")
@admits(OPEN)
@blueprint.takes(LotsWish, location="query")
@_gives(FeatureCollection, FEATURES.media_type)
@blueprint.refuses(422, 429)
def lots(wish: dict[str, Any]) -> Response:
    """全市共享停车场（GeoJSON）

    不给 limit 与 cursor 时一次返回全市；坐标为 WGS-84。支持 If-None-Match 与 If-Modified-Since。
    """
    box, after, limit = wish.get("bbox"), wish.get("cursor"), wish.get("limit")
    return answer(FEATURES, Selection(box, after, PAGE if limit is None and after is not None else limit))


@blueprint.get("/datex2/ParkingTablePublication")
@admits(OPEN)
@blueprint.takes(Wish, location="query")
@_gives(DatexPayload, PARKING_TABLE.media_type)
@blueprint.refuses(422, 429)
def parking_table(wish: dict[str, Any]) -> Response:
    """全市共享停车场静态信息（DATEX II v3）"""
    del wish
    return answer(PARKING_TABLE, Selection())


@blueprint.get("/datex2/ParkingStatusPublication")
@admits(OPEN)
@blueprint.takes(Wish, location="query")
@_gives(DatexPayload, PARKING_STATUS.media_type)
@blueprint.refuses(422, 429)
def parking_status(wish: dict[str, Any]) -> Response:
    """全市共享停车场实时状态（DATEX II v3）"""
    del wish
    return answer(PARKING_STATUS, Selection())
