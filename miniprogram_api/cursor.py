"""Where a list goes on: sealed, so that nobody reads or makes one, and bound to its reader and list."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any, TypeVar

import orjson
from flask import g, request

from app.kernel import crypto
from app.kernel.refusals import Invalid
from miniprogram_api.fields import Text, Wish

Row = TypeVar("Row")


class InvalidCursor(Invalid):
    """The cursor was not given out by this list to this motorist."""

    code = "invalid_cursor"
    message = "翻页标记无效，请从第一页重新查询"


class Page(Wish):
    """Which page of a list is wanted."""

    cursor = Text(512, metadata={"description": "上一页返回的 next_cursor"})


def seal(position: Any) -> str:
    """The cursor for a position: any JSON value."""
    return base64.urlsafe_b64encode(crypto.seal(orjson.dumps(position).decode(), _where())).decode().rstrip("=")


def unseal(cursor: str | None) -> Any:
    """The position that a cursor stands for, None for the first page. Refuses `InvalidCursor`."""
    if cursor is None:
        return None
    try:
        sealed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return orjson.loads(crypto.unseal(sealed, _where()))
    except (binascii.Error, ValueError, IndexError, crypto.CannotUnseal) as wrong:
        raise InvalidCursor from wrong


def cut(rows: Sequence[Row], size: int) -> tuple[Sequence[Row], Row | None]:
    """The page, and its last row when another page follows; `rows` were asked for with one more than `size`."""
    page = rows[:size]
    return page, page[-1] if len(rows) > size else None


def _where() -> str:
    return f"cursor:{g.caller}:{request.endpoint}"
