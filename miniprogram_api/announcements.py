"""What the city announces about its car-parks: closings, fewer bays, other hours, free of charge (N5.6)."""

from typing import Any

import marshmallow as ma

from app.domain.adjustments import queries
from app.domain.adjustments.queries import CityAnnouncement
from app.web.policy import admits
from miniprogram_api import cursor
from miniprogram_api.door import PAGE, motorist, noun
from miniprogram_api.places import Place, place

blueprint = noun("announcements", "公告")


class ShownAnnouncement(ma.Schema):
    key = ma.fields.UUID(required=True)
    kind = ma.fields.String(
        required=True,
        metadata={"description": "close 关闭，bays 减少泊位，hours 调整时段，free 免费，suspension 暂停开放"},
    )
    scope = ma.fields.String(required=True, metadata={"description": "lots 部分停车场，district 全区，city 全市"})
    text = ma.fields.String(required=True, metadata={"description": "公告内容"})
    begins_at = ma.fields.AwareDateTime(required=True)
    ends_at = ma.fields.AwareDateTime(required=True, allow_none=True, metadata={"description": "为空表示另行通知"})
    lots = ma.fields.List(ma.fields.Nested(Place), required=True, metadata={"description": "涉及的停车场，至多 20 个"})
    lot_count = ma.fields.Integer(required=True, metadata={"description": "涉及的停车场总数"})


class AnnouncementPage(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(ShownAnnouncement), required=True)
    next_cursor = ma.fields.String(required=True, allow_none=True)


@blueprint.get("/announcements")
@admits(motorist())
@blueprint.takes(cursor.Page, location="query")
@blueprint.gives(200, AnnouncementPage)
@blueprint.refuses(401, 429)
def list_announcements(page: dict[str, Any]) -> dict[str, Any]:
    """公告

    正在生效和已预告的停车场调整，新发布者在前。
    """
    rows, last = cursor.cut(queries.city_announcements(cursor.unseal(page.get("cursor")), PAGE + 1), PAGE)
    return {"items": [_shown(row) for row in rows], "next_cursor": cursor.seal(last.id) if last else None}


def _shown(row: CityAnnouncement) -> dict[str, Any]:
    lots = [place(lot) for lot in row.lots]
    return {**vars(row.announcement), "scope": row.scope, "lots": lots, "lot_count": row.lot_count}
