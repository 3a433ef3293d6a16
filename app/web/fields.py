"""Fields of the doors: what they accept, and what they say in Chinese when they do not."""

import re
from datetime import UTC, datetime
from typing import Any, TypeVar

import marshmallow as ma
from marshmallow import validate

_FIRST, _LAST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_MALFORMED = ("invalid", "invalid_utf8", "invalid_uuid", "invalid_awareness", "format", "too_large", "special")


_WHOLE = re.compile("-?[0-9]+")
"""Python would also take 1_000, the digits of other scripts and spaces around them."""

_YES, _NO = ("true", "1"), ("false", "0")
Value = TypeVar("Value")


def _insist(value: Value, is_right: bool) -> Value:
    if not is_right:
        raise ValueError
    return value


def _said(malformed: str) -> dict[str, Any]:
    """What a field says; `malformed` stands for every way in which a value can be no such thing."""
    told = dict.fromkeys(_MALFORMED, malformed)
    return {**told, "required": "必填", "null": "不能为空", "validator_failed": "内容有误"}


class Text(ma.fields.String):
    """Text of 1 to `longest` characters."""

    def __init__(self, longest: int = 128, **words: Any) -> None:
        self._longest = longest
        allowed = validate.Length(1, longest, error=f"应为 1 至 {longest} 个字符")
        super().__init__(validate=allowed, error_messages=_said("应为文本"), **words)

    def quick(self, text: str) -> str:
        """The text, if it is plainly right; raises `ValueError` in doubt."""
        return _insist(text, type(text) is str and 1 <= len(text) <= self._longest)


class Key(ma.fields.UUID):
    """A public key."""

    def __init__(self, **words: Any) -> None:
        super().__init__(error_messages=_said("应为 UUID"), **words)


class Moment(ma.fields.AwareDateTime):
    """An instant with its offset (ISO 8601), between 2020 and 2100; kept in UTC."""

    def __init__(self, **words: Any) -> None:
        super().__init__(error_messages=_said("应为 2020 至 2099 年间带时区的 ISO 8601 时刻"), **words)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **words: Any) -> datetime:
        said = super()._deserialize(value, attr, data, **words)
        try:
            moment = said.astimezone(UTC)
        except OverflowError as wrong:
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE) from wrong
        if not _FIRST <= moment < _LAST:
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE)
        return moment

    def quick(self, text: str) -> datetime:
        """The moment, if it is plainly right; raises `ValueError` in doubt."""
        said = datetime.fromisoformat(text)
        moment = said.astimezone(UTC)
        return _insist(moment, said.tzinfo is not None and _FIRST <= moment < _LAST)


class Whole(ma.fields.Integer):
    """A whole number within bounds."""

    def __init__(self, least: int, most: int, **words: Any) -> None:
        self._least, self._most = least, most
        allowed = validate.Range(least, most, error=f"应在 {least} 与 {most} 之间")
        super().__init__(validate=allowed, error_messages=_said("应为整数"), **words)

    def _validated(self, value: Any) -> int:
        if not _WHOLE.fullmatch(str(value)):
            raise self.make_error("invalid", input=value)
        return super()._validated(value)

    def quick(self, text: str) -> int:
        """The number, if it is plainly right; raises `ValueError` in doubt."""
        number = int(text)
        return _insist(number, _WHOLE.fullmatch(text) is not None and self._least <= number <= self._most)


class Degrees(ma.fields.Float):
    """Latitude or longitude in GCJ-02 degrees."""

    def __init__(self, most: int, **words: Any) -> None:
        self._most = most
        allowed = validate.Range(-most, most, error=f"应在 -{most} 与 {most} 之间")
        super().__init__(validate=allowed, error_messages=_said("应为数字"), **words)

    def quick(self, text: str) -> float:
        """The number, if it is plainly right; raises `ValueError` in doubt."""
        number = float(text)
        return _insist(number, type(text) is str and -self._most <= number <= self._most)


class Several(ma.fields.List[Any]):
    """A list of 1 to `most` things."""

    def __init__(self, things: ma.fields.Field[Any], most: int, **words: Any) -> None:
        allowed = validate.Length(1, most, error=f"应为 1 至 {most} 项")
        super().__init__(things, validate=allowed, error_messages=_said("应为列表"), **words)


class Choice(ma.fields.String):
    """One of a few words."""

    def __init__(self, choices: tuple[str, ...], **words: Any) -> None:
        self._choices = choices
        allowed = validate.OneOf(choices, error="不在可选范围内")
        super().__init__(validate=allowed, error_messages=_said("应为文本"), **words)

    def quick(self, text: str) -> str:
        """The word, if it is plainly right; raises `ValueError` in doubt."""
        return _insist(text, text in self._choices)


class Flag(ma.fields.Boolean):
    """`true` or `false`."""

    def __init__(self, **words: Any) -> None:
        said = _said("应为 true 或 false")
        super().__init__(truthy={True, *_YES}, falsy={False, *_NO}, error_messages=said, **words)

    def quick(self, text: str) -> bool:
        """Yes or no, if it is plainly right; raises `ValueError` in doubt."""
        return _insist(text in _YES, text in _YES or text in _NO)


class Wish(ma.Schema):
    """What somebody asks for; fields that we do not know are refused."""

    error_messages = {"unknown": "未知字段", "type": "格式有误"}  # noqa: RUF012

    class Meta:
        unknown = ma.RAISE


def fen(meaning: str) -> ma.fields.Integer:
    """An amount of money in an answer."""
    return ma.fields.Integer(required=True, metadata={"description": f"{meaning}（分）"})
