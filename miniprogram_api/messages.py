"""The motorist's inbox."""

import uuid
from typing import Any

import marshmallow as ma

from app.domain.messages import actions, queries
from app.domain.messages.models import Message
from app.web.policy import admits
from miniprogram_api import cursor
from miniprogram_api.door import PAGE, asking, motorist, noun

blueprint = noun("messages", "站内信")


class ShownMessage(ma.Schema):
    key = ma.fields.UUID(required=True)
    kind = ma.fields.String(required=True, metadata={"description": "消息类别"})
    title = ma.fields.String(required=True)
    body = ma.fields.String(required=True)
    told_at = ma.fields.AwareDateTime(required=True)
    read_at = ma.fields.AwareDateTime(required=True, allow_none=True, metadata={"description": "阅读时间"})


class MessagePage(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(ShownMessage), required=True)
    next_cursor = ma.fields.String(required=True, allow_none=True)
    unread = ma.fields.Integer(required=True, metadata={"description": "未读条数"})


class Readings(ma.Schema):
    read = ma.fields.Integer(required=True, metadata={"description": "本次标为已读的条数"})


@blueprint.get("/messages")
@admits(motorist())
@blueprint.takes(cursor.Page, location="query")
@blueprint.gives(200, MessagePage)
@blueprint.refuses(401, 429)
def list_messages(page: dict[str, Any]) -> dict[str, Any]:
    """我的消息"""
    found = queries.list_for(asking(), cursor.unseal(page.get("cursor")), PAGE + 1)
    rows, last = cursor.cut(found, PAGE)
    return {
        "items": rows,
        "next_cursor": cursor.seal(last.id) if last else None,
        "unread": queries.unread_count(asking()),
    }


@blueprint.put("/messages/<uuid:key>/reading")
@admits(motorist())
@blueprint.gives(200, ShownMessage)
@blueprint.refuses(401, 404, 429)
def read(key: uuid.UUID) -> Message:
    """标为已读"""
    return actions.read(asking(), key)


@blueprint.put("/messages/reading")
@admits(motorist())
@blueprint.gives(200, Readings)
@blueprint.refuses(401, 429)
def read_all() -> dict[str, int]:
    """全部标为已读"""
    return {"read": actions.read_all(asking())}
