"""Reading JSON that others wrote: every field has the type we expect, or it is `Malformed`."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NoReturn, TypeVar

from app.kernel.text import UNSTORABLE

V = TypeVar("V")

MOST_FEN: Final = 2**53 - 1
"""What every reader of JSON keeps exactly; WeChat's sums are far below."""
LONGEST_TEXT: Final = 256
"""WeChat documents no field that is longer, but for addresses of bills and what is sealed."""


class Malformed(ValueError):
    """Names the field that is not as documented; never its value."""


def read_object(text: bytes) -> "Fields":
    """Parses one JSON object. Raises `Malformed`, also for NaN and for nesting without end."""
    try:
        value = json.loads(text.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Malformed("not JSON") from None
    return Fields(_object(value, "the body"))


class Fields:
    """Typed access to one JSON object; an absent field and `null` are the same."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def all(self) -> Mapping[str, Any]:
        return self._values

    def text(self, name: str, longest: int = LONGEST_TEXT) -> str:
        return _required(self.optional_text(name, longest), name)

    def optional_text(self, name: str, longest: int = LONGEST_TEXT) -> str | None:
        value = self._values.get(name)
        if value is not None and not _is_text(value, longest):
            raise Malformed(name)
        return value

    def optional_fen(self, name: str) -> int | None:
        value = self._values.get(name)
        if value is not None and (type(value) is not int or not 0 <= value <= MOST_FEN):
            raise Malformed(name)
        return value

    def optional_time(self, name: str) -> datetime | None:
        text = self.optional_text(name)
        return None if text is None else _time(text, name)

    def time(self, name: str) -> datetime:
        return _required(self.optional_time(name), name)

    def whole(self, name: str) -> int:
        return _required(self.optional_fen(name), name)

    def items(self, name: str) -> "list[Fields]":
        """The objects of the list under `name`; an absent one is empty."""
        value = self._values.get(name)
        if value is not None and not isinstance(value, list):
            raise Malformed(name)
        return [Fields(_object(each, name)) for each in value or []]

    def inner(self, name: str) -> "Fields":
        """The object under `name`; an absent one has no fields."""
        value = self._values.get(name)
        return Fields(_object({} if value is None else value, name))


def _is_text(value: object, longest: int) -> bool:
    """Text that can be kept, and found again by an index."""
    return isinstance(value, str) and len(value) <= longest and not UNSTORABLE.search(value)


def _required(value: V | None, name: str) -> V:
    if value is None or value == "":
        raise Malformed(name)
    return value


def _time(text: str, name: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise Malformed(name) from None
    if time.tzinfo is None:
        raise Malformed(name)
    return time


def _object(value: object, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Malformed(name)
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
