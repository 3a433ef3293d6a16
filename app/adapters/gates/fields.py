"""Reading vendors' JSON: what is not there or of another kind is `Foreign`, and nothing is guessed."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from app.adapters.gates.words import Foreign
from app.kernel.clock import SHANGHAI

LONGEST_NUMBER: Final = 16
PICTURES: Final = frozenset({"imageFile", "imageFragmentFile", "full_image_content", "small_image_content"})


def root_of(body: bytes) -> Mapping[str, Any]:
    """The JSON object that a camera sent, in UTF-8 or GB 18030; raises `Foreign`."""
    for encoding in ("utf-8", "gb18030"):
        try:
            return record(json.loads(body.decode(encoding)))
        except UnicodeDecodeError:
            continue
        except (ValueError, RecursionError) as wrong:
            raise Foreign("json") from wrong
    raise Foreign("encoding")


def record(value: object) -> Mapping[str, Any]:
    """A JSON object."""
    if not isinstance(value, Mapping):
        raise Foreign("object")
    return value


def listed(value: object) -> Sequence[Any]:
    """A JSON array."""
    if not isinstance(value, list):
        raise Foreign("array")
    return value


def text(value: object) -> str:
    """A string that can be kept; nothing is the empty string."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Foreign("string")
    return value.encode("utf-8", "replace").decode().replace("\0", "")


def number(value: object) -> int:
    """A whole number, or one written as text, from 0 to 2**53."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= LONGEST_NUMBER:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 2**53:
        raise Foreign("number")
    return value


def local_time(value: object, form: str) -> datetime:
    """A moment that a camera writes by the clocks of Hangzhou."""
    try:
        return datetime.strptime(text(value), form).replace(tzinfo=SHANGHAI)
    except ValueError as wrong:
        raise Foreign("time") from wrong


def without_pictures(value: Any) -> Any:
    """The same, without the photographs: they are large, and show people."""
    if isinstance(value, dict):
        return {name: without_pictures(part) for name, part in value.items() if name not in PICTURES}
    return [without_pictures(part) for part in value] if isinstance(value, list) else value
