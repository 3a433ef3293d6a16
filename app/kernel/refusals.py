"""Refusals are facts with a stable code and a Chinese sentence; the door knows the HTTP number."""

from typing import Any, ClassVar


class Refusal(Exception):
    """Something that was asked for and is not done; nothing has changed."""

    code: ClassVar[str] = "refused"
    message: ClassVar[str] = "请求未被接受"

    def __init__(self, **details: Any) -> None:
        super().__init__(self.code)
        self.details = details


class Invalid(Refusal):
    """The request itself makes no sense (HTTP 422)."""

    code = "invalid"
    message = "提交的内容有误"


class NotAllowed(Refusal):
    """Understood, but not for this person or not now by the rules (HTTP 403)."""

    code = "not_allowed"
    message = "无权进行此操作"


class Unauthenticated(NotAllowed):
    """Nobody knows who is asking (HTTP 401)."""

    code = "unauthenticated"
    message = "请先登录"


class NotFound(Refusal):
    """Not there, or not this person's (HTTP 404)."""

    code = "not_found"
    message = "未找到相关内容"


class Conflict(Refusal):
    """The state of things forbids it (HTTP 409)."""

    code = "conflict"
    message = "当前状态不允许此操作"


class Unavailable(Refusal):
    """Something we depend on does not answer; trying again later may help (HTTP 503)."""

    code = "unavailable"
    message = "服务暂时不可用，请稍后再试"
