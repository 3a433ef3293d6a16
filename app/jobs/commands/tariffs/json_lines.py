"""JSON in, JSON out, a line each: whatever is wrong with a line is said in its place, and the next one is read."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Final, NoReturn

from app.kernel.refusals import Invalid, Refusal

LONGEST: Final = 16 * 1024 * 1024
"""Bytes of a line; of a longer one nothing is kept."""
_TOLD: Final = 300
"""Characters of a message that quotes what was sent."""


class LineTooLong(Invalid):
    """More bytes than anybody needs for a tariff and a stay; details: `most`."""

    code = "line_too_long"
    message = "一行内容过长"


class NotJson(Invalid):
    """The line is not UTF-8, or not one JSON document; details: `reason`."""

    code = "not_json"
    message = "不是有效的JSON"


class NestedTooDeeply(NotJson):
    """Brackets within brackets without end."""

    code = "nested_too_deeply"
    message = "JSON嵌套过深"


class DuplicateKey(Invalid):
    """An object says the same key twice, and nobody knows which one holds; details: `key`."""

    code = "duplicate_key"
    message = "JSON对象中有重复的项"


class NotAnObject(Invalid):
    """The line is JSON, but no object."""

    code = "not_an_object"
    message = "每行须为一个JSON对象"


def lines(stream: BinaryIO) -> Iterator[bytes]:
    """The lines as they come, without waiting for the next; a line that is too long comes cut."""
    while line := stream.readline(LONGEST + 1):
        rest = line
        while len(line) > LONGEST and rest and not rest.endswith(b"\n"):
            rest = stream.readline(LONGEST)
        yield line


def parse(line: bytes) -> Mapping[str, Any]:
    """The one object of a line. Raises LineTooLong, NotAnObject and whatever `parse_document` raises."""
    if len(line) > LONGEST:
        raise LineTooLong(most=LONGEST)
    value = parse_document(line)
    if not isinstance(value, dict):
        raise NotAnObject
    return value


def parse_document(content: bytes) -> Any:
    """One JSON document in UTF-8. Raises NotJson, NestedTooDeeply and DuplicateKey."""
    try:
        return json.loads(content.decode("utf-8-sig"), object_pairs_hook=_object, parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        raise NotJson(reason="不是UTF-8编码") from None
    except RecursionError:
        raise NestedTooDeeply from None
    except json.JSONDecodeError as wrong:
        raise NotJson(reason=f"第{wrong.lineno}行第{wrong.colno}个字符处") from None
    except ValueError:  # Python reads no number of more than some thousands of digits
        raise NotJson(reason="数字过长") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        (twice, _), *_ = Counter(key for key, _ in pairs).most_common(1)
        raise DuplicateKey(key=twice)
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise NotJson(reason=f"JSON没有{name}")


def encode(answer: Mapping[str, Any]) -> bytes:
    """One line; half of a pair of surrogates, which UTF-8 has not, leaves as the escape it came as."""
    return json.dumps(answer, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def error(refusal: Refusal) -> Mapping[str, Any]:
    """A refusal as an answer: its code, and in Chinese what is wrong and where."""
    return {"error": {"code": refusal.code, "message": sentence(refusal)}}


def sentence(refusal: Refusal) -> str:
    """What is wrong in Chinese, with the place in the form, or whatever else belongs to it."""
    details = dict(refusal.details)
    place = " ".join(str(details.pop(key)) for key in ("where", "reason") if details.get(key))
    others = "，".join(str(value) for value in details.values() if value not in (None, "", [], ()))
    told = f"{refusal.message}：{place}" if place else refusal.message
    whole = f"{told}（{others}）" if others else told
    return whole if len(whole) <= _TOLD else f"{whole[:_TOLD]}…"
