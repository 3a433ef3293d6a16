"""Subscribe messages (订阅消息): what people allowed, what they are shown, and how WeChat checks a message.

One accepted `wx.requestSubscribeMessage` allows one message of that template.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import RLock
from typing import Any

from simulators.wechat.ids import Ids
from simulators.wechat.people import Errcode

CHINESE = r"\u4e00-\u9fff"
CHECKS: dict[str, str] = {
    "thing": r".{1,20}",
    "number": r"-?[0-9]+(\.[0-9]+)?",
    "letter": r"[A-Za-z]{1,32}",
    "character_string": r"[\x21-\x7e]{1,32}",
    "time": r"(\d{4}年\d{1,2}月\d{1,2}日 )?([01]?\d|2[0-3]):[0-5]\d(~.+)?",
    "date": r"\d{4}年\d{1,2}月\d{1,2}日.*",
    "amount": r"[¥$]?\d{1,10}(\.\d+)?元?",
    "phone_number": r"[0-9+\- ]{1,17}",
    "car_number": rf"[{CHINESE}A-Z0-9]{{1,8}}",
    "phrase": rf"[{CHINESE}]{{1,5}}",
}
PAGE = re.compile(r"pages/[A-Za-z0-9/_-]+(\?.*)?")
STATES = ("developer", "trial", "formal")


@dataclass(frozen=True)
class Shown:
    """A message as it lies on somebody's phone."""

    msgid: str
    openid: str
    template_id: str
    page: str
    values: Mapping[str, str]
    at: float


class Subscriptions:
    def __init__(self, ids: Ids, now: Callable[[], float]) -> None:
        self._ids = ids
        self._now = now
        self._lock = RLock()
        self._templates: dict[str, tuple[str, ...]] = {}
        self._allowed: Counter[tuple[str, str]] = Counter()
        self._shown: list[Shown] = []
        self.quota: int | None = None
        """How many more messages WeChat takes; None: as many as you like."""
        self.banned: set[str] = set()

    def offer(self, template_id: str, keys: list[str]) -> None:
        """A template of ours from now on, with its data keys such as `thing1`."""
        unknown = [key for key in keys if _type(key) not in CHECKS]
        if unknown or not keys:
            raise ValueError(f"keys of no known type: {', '.join(unknown)}")
        with self._lock:
            self._templates[template_id] = tuple(keys)

    def allow(self, openid: str, template_id: str, times: int = 1) -> int:
        """So many more sends; a negative number takes them back. Returns how many are left."""
        with self._lock:
            left = max(0, self._allowed[openid, template_id] + times)
            self._allowed[openid, template_id] = left
            return left

    def reset(self) -> None:
        """Nothing allowed, nothing shown, no quota; the templates stay."""
        with self._lock:
            self._allowed.clear()
            self._shown.clear()
            self.quota = None
            self.banned.clear()

    def shown(self, openid: str = "") -> list[Shown]:
        with self._lock:
            return [each for each in self._shown if openid in ("", each.openid)]

    def send(self, asked: dict[str, Any], *, is_known: bool) -> str:
        """Takes a message in the order in which WeChat looks at it; raises `Errcode`."""
        template_id, openid = str(asked.get("template_id", "")), str(asked.get("touser", ""))
        with self._lock:
            if not is_known:
                raise Errcode(40003, "invalid openid")
            if template_id not in self._templates:
                raise Errcode(40037, "invalid template_id")
            if openid in self.banned:
                raise Errcode(43107, "subscribe message capability is banned")
            if self.quota is not None and self.quota <= 0:
                raise Errcode(45009, "reach max api daily quota limit")
            page = str(asked.get("page", ""))
            _check(asked, self._templates[template_id], page)
            if self._allowed[openid, template_id] < 1:
                raise Errcode(43101, "user refuse to accept the msg")
            self._allowed[openid, template_id] -= 1
            self.quota = None if self.quota is None else self.quota - 1
            values = {key: str(each["value"]) for key, each in asked["data"].items()}
            message = Shown(self._ids.digits(19), openid, template_id, page, values, self._now())
            self._shown.append(message)
            return message.msgid


def _check(asked: dict[str, Any], keys: tuple[str, ...], page: str) -> None:
    if page and not PAGE.fullmatch(page):
        raise Errcode(41030, "invalid page")
    if asked.get("miniprogram_state", "formal") not in STATES:
        raise Errcode(47001, "data format error")
    data = asked.get("data")
    if not isinstance(data, dict):
        raise Errcode(47003, "argument invalid! data is empty")
    for key in keys:
        value = data[key].get("value") if isinstance(data.get(key), dict) else None
        if not isinstance(value, str) or not re.fullmatch(CHECKS[_type(key)], value):
            raise Errcode(47003, f"argument invalid! data.{key}.value invalid")


def _type(key: str) -> str:
    return key.rstrip("0123456789")
