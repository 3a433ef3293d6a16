"""What a subscribe message says: the keys of its template, and how much fits into each."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

KEY: Final = re.compile(r"(?P<type>[a-z_]+?)(?P<number>[1-9][0-9]?)")
TIME: Final = re.compile(r"(\d{4}年\d{1,2}月\d{1,2}日 )?([01]\d|2[0-3]):[0-5]\d")


@dataclass(frozen=True)
class Notice:
    """One message to one person. `page`: where a tap leads; `values` by the template's keys, such as `thing1`."""

    openid: str = field(repr=False)
    template_id: str
    page: str
    values: Mapping[str, str] = field(repr=False)


def _cut(most: int) -> Callable[[str], str]:
    return lambda text: text if len(text) <= most else f"{text[: most - 1]}…"


def _time(text: str) -> str:
    if not TIME.fullmatch(text):
        raise ValueError("a time is 15:01 or 2019年10月1日 15:01")
    return text


FITTING: Final[Mapping[str, Callable[[str], str]]] = {
    "thing": _cut(20),
    "phrase": lambda text: text[:5],
    "time": _time,
}
"""How a text is made to fit each type of key that we use.

https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/mp-message-management/subscribe-message/sendMessage.html
"""


def is_field(key: str) -> bool:
    """Whether a template's key is of a type that we can fill."""
    found = KEY.fullmatch(key)
    return found is not None and found["type"] in FITTING


def fitted(key: str, text: str) -> str:
    """The text as it fits under a template's key, or WeChat would refuse all of it (47003).

    `ValueError` when the key is of no type that we know, the text is empty, or no time where there must be one.
    """
    found = KEY.fullmatch(key)
    if found is None or found["type"] not in FITTING:
        raise ValueError(f"{key} is no key of a type that we know")
    plain = " ".join(text.split())
    if not plain:
        raise ValueError(f"nothing to say under {key}")
    return FITTING[found["type"]](plain)
