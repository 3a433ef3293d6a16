"""Whatever a field refuses, it says so in Chinese."""

import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from marshmallow import ValidationError

import miniprogram_api
from miniprogram_api.fields import Wish

NONSENSE: list[Any] = [None, "", "x" * 5000, -1, 10**30, 1.5, True, [], [None], ["x"] * 500, {}, {"x": None}]
CHINESE = re.compile("[\u4e00-\u9fff]")


def wishes() -> Iterator[type[Wish]]:
    for room in pkgutil.iter_modules(miniprogram_api.__path__):
        for each in vars(import_module(f"miniprogram_api.{room.name}")).values():
            if isinstance(each, type) and issubclass(each, Wish):
                yield each


@pytest.mark.parametrize("wish", sorted(set(wishes()), key=repr))
def test_a_field_refuses_in_chinese(wish: type[Wish]) -> None:
    names = list(wish().fields)
    for body in [{}, {"nobody": 1}, *({name: junk} for name in names for junk in NONSENSE)]:
        assert all(CHINESE.search(word) for word in said(refused(wish, body))), body


def refused(wish: type[Wish], body: dict[str, Any]) -> Any:
    try:
        wish().load(body)
    except ValidationError as refusal:
        return refusal.messages
    return []


def said(messages: Any) -> Iterator[str]:
    if isinstance(messages, str):
        yield messages
    else:
        for each in messages.values() if isinstance(messages, dict) else messages:
            yield from said(each)
