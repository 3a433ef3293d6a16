"""Wishes that are read at once when nothing is amiss: for the few routes that are asked all day."""

from collections.abc import Mapping
from typing import Any

import marshmallow as ma

from app.web.fields import Wish


class PlainWish(Wish):
    """A flat wish whose fields can all read a text `quick`ly.

    marshmallow alone refuses: what is not plainly right - an unknown, missing or senseless value - is left to it, and
    what is read at once is what it would have read.
    """

    def __init__(self, **words: Any) -> None:
        super().__init__(**words)
        self._quick = {name: field.quick for name, field in self.load_fields.items()}  # type: ignore[attr-defined]
        self._required = {name for name, field in self.load_fields.items() if field.required}
        self._defaults = {
            name: field.load_default for name, field in self.load_fields.items() if field.load_default is not ma.missing
        }

    def check(self, wish: Mapping[str, Any]) -> None:
        """What no field can tell alone; raises `ValidationError`."""

    @ma.validates_schema
    def _check(self, wish: dict[str, Any], **_: Any) -> None:
        self.check(wish)

    def at_once(self, texts: Mapping[str, str]) -> dict[str, Any] | None:
        """The wish, or `None` when only `load` can tell what is amiss."""
        if not self._required <= texts.keys():
            return None
        try:
            wish = {**self._defaults, **{name: self._quick[name](text) for name, text in texts.items()}}
            self.check(wish)
        except (ma.ValidationError, ValueError, KeyError, OverflowError):
            return None
        return wish
