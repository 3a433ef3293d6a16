"""How a refusal or a failure looks outside: `{"code", "message", "details", "request_id"}`, in Chinese.

This file alone knows which kind of refusal is which HTTP status.
"""

import json
from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response, jsonify
from sqlalchemy.exc import InternalError, OperationalError, TimeoutError  # noqa: A004 - of the connection pool
from werkzeug.exceptions import HTTPException, MethodNotAllowed, UnprocessableEntity

from app.kernel.db import sqlstate
from app.kernel.refusals import (
    Conflict,
    Invalid,
    NotAllowed,
    NotFound,
    Refusal,
    Unauthenticated,
    Unavailable,
)
from app.kernel.trace import new_request_id, request_id

STATUS_OF_KIND: dict[type[Refusal], int] = {
    Unauthenticated: 401,
    NotAllowed: 403,
    NotFound: 404,
    Conflict: 409,
    Invalid: 422,
    Unavailable: 503,
}
"""The narrowest kind comes first."""

WORDS = {
    400: ("bad_request", "请求格式有误"),
    401: ("unauthenticated", "请先登录"),
    403: ("not_allowed", "无权进行此操作"),
    404: ("not_found", "未找到相关内容"),
    405: ("method_not_allowed", "不支持该请求方式"),
    406: ("not_acceptable", "无法提供所要求的格式"),
    413: ("body_too_large", "提交的内容过大"),
    414: ("address_too_long", "请求地址过长"),
    415: ("unsupported_media_type", "请以 JSON 格式提交"),
    422: ("invalid", "提交的内容有误"),
    429: ("too_many_requests", "操作过于频繁，请稍后再试"),
    431: ("headers_too_large", "请求头过长"),
    500: ("internal_error", "服务出现异常，请稍后再试"),
    503: ("unavailable", "服务暂时不可用，请稍后再试"),
}
RETRY_SECONDS = 2
"""What `Retry-After` says when a rival holds what we need, or a server is away."""

_PASSING = ("08", "25P03", "40", "53", "55P03", "57")
"""PostgreSQL's codes of what passes: connection lost, idle too long, rolled back, no room, no lock, told to stop."""

_log = structlog.get_logger("errors")


class MalformedRequest(Exception):
    """The bytes are not a request of this door: answered with `status` and a code of its own."""

    def __init__(self, status: HTTPStatus, code: str, message: str) -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


def status_of(refusal: Refusal) -> int:
    """The HTTP status of a refusal, by its kind."""
    return next((status for kind, status in STATUS_OF_KIND.items() if isinstance(refusal, kind)), 400)


def answer(status: int, code: str, message: str, details: Any = None) -> Response:
    """An error body with its status."""
    response = jsonify(code=code, message=message, details=details or {}, request_id=request_id.get())
    response.status_code = status
    if status in (409, 503):
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def body_without_request(status: int) -> bytes:
    """The same body for a server that refuses what never becomes a request."""
    code, message = _words(status)
    told = {"code": code, "message": message, "details": {}, "request_id": new_request_id()}
    return json.dumps(told, ensure_ascii=False).encode()


def _worded(status: int, details: Any = None) -> Response:
    return answer(status, *_words(status), details)


def _words(status: int) -> tuple[str, str]:
    return WORDS.get(status, WORDS[500] if status >= 500 else WORDS[400])  # noqa: PLR2004


def _refused(refusal: Refusal) -> Response:
    response = answer(status_of(refusal), refusal.code, refusal.message, refusal.details)
    if isinstance(refusal, Unauthenticated):
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _malformed(error: MalformedRequest) -> Response:
    return answer(error.status, error.code, error.message)


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    response = _worded(status, _field_errors(error))
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    retry_after = getattr(error, "retry_after", None)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def _field_errors(error: HTTPException) -> Any:
    """Which fields were wrong (webargs leaves them on the exception); never what was in them."""
    if isinstance(error, UnprocessableEntity):
        return {"fields": getattr(error, "data", {}).get("messages", {})}
    return {}


def _database_failed(error: OperationalError | InternalError) -> Response:
    """Without a code no answer came at all: that passes too."""
    code = sqlstate(error)
    _log.error("database_failed", error=type(error.orig).__name__, sqlstate=code)
    return _worded(503 if code is None or code.startswith(_PASSING) else 500)


def _no_connection_left(error: TimeoutError) -> Response:
    _log.error("database_busy", error=type(error).__name__)
    return _worded(503)


def _unexpected(error: Exception) -> Response:
    _log.error("request_failed", error=type(error).__name__, exc_info=error)
    return _worded(500)


def speak_json(app: Flask) -> None:
    """Answer every refusal and failure of this app in the one shape."""
    app.register_error_handler(Refusal, _refused)
    app.register_error_handler(MalformedRequest, _malformed)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(OperationalError, _database_failed)
    app.register_error_handler(InternalError, _database_failed)
    app.register_error_handler(TimeoutError, _no_connection_left)
    app.register_error_handler(Exception, _unexpected)
