"""What every request must look like before a door reads it.

Too large, not JSON where JSON is due, broken or too deep JSON, and characters that PostgreSQL cannot store are
refused here, once, for all doors.
"""

import json
import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from flask import Flask, Request
from flask.globals import request_ctx
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from app.kernel.text import UNSTORABLE
from app.kernel.trace import new_request_id, request_id
from app.web.errors import MalformedRequest

MAX_BODY_BYTES = 64 * 1024
MAX_DEPTH = 16
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def guard(app: Flask) -> None:
    """Check every request of this app before any view runs, and name it."""
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.url_map.merge_slashes = False  # an address with a slash too many is refused as any other, by no page of HTML
    app.before_request(_look_at)


def _look_at() -> None:
    asked = request_ctx.request
    _name(asked)
    _refuse_oversized(asked)
    _refuse_unstorable_address(asked)


def _name(asked: Request) -> None:
    """Take the caller's X-Request-ID when it is sane, else make one."""
    offered = asked.headers.get("X-Request-ID", "")
    request_id.set(offered if REQUEST_ID.fullmatch(offered) else new_request_id())


def _refuse_oversized(asked: Request) -> None:
    limit = asked.max_content_length
    if limit is not None and (asked.content_length or 0) > limit:
        raise RequestEntityTooLarge


def _refuse_unstorable_address(asked: Request) -> None:
    words = [asked.path, *(word for pair in asked.args.items(multi=True) for word in pair)]
    if UNSTORABLE.search("\n".join(words)):
        raise _unstorable()


def json_only() -> None:
    """A door's `before_request`: bodies are JSON objects, well-formed, shallow and storable."""
    asked = request_ctx.request
    if asked.content_length is None and "Transfer-Encoding" not in asked.headers:
        return
    body = asked.get_data(cache=True)
    if not body:
        return
    if asked.mimetype != "application/json":
        raise UnsupportedMediaType
    if any(UNSTORABLE.search(text) for text in texts(parsed(body))):
        raise _unstorable()


def parsed(body: bytes) -> Any:
    """The JSON value of a body; raises 400 when it is not strict JSON in UTF-8 or is too deep."""
    try:
        value = json.loads(body.decode(), parse_constant=_no_constant, object_pairs_hook=_each_name_once)
    except (ValueError, RecursionError) as wrong:
        raise _malformed("invalid_json", "请求内容不是有效的 JSON") from wrong
    if depth(value) > MAX_DEPTH:
        raise _malformed("json_too_deep", "请求内容嵌套过深")
    if not isinstance(value, dict):
        raise _malformed("not_an_object", "请求内容应为 JSON 对象")
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise ValueError("a name occurs twice")
    return names


def depth(value: Any) -> int:
    """How many containers lie within each other."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    contained = max((depth(part) for part in inner), default=0)
    return contained + 1 if isinstance(value, dict | list) else 0


def texts(value: Any) -> Iterator[str]:
    """Every string in a JSON value, names included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, part in value.items():
            yield name
            yield from texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts(part)


def _malformed(code: str, message: str) -> MalformedRequest:
    return MalformedRequest(HTTPStatus.BAD_REQUEST, code, message)


def _unstorable() -> MalformedRequest:
    return MalformedRequest(HTTPStatus.UNPROCESSABLE_ENTITY, "forbidden_character", "内容含有不允许的字符")
