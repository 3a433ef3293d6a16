"""What can be said through WeChat, how long to wait before another try, and the life of a delivery."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.adapters.messages import fitted, is_field
from app.kernel.refusals import Invalid
from app.kernel.states import BORN, Machine

WORDS: Final[Mapping[str, frozenset[str]]] = {
    "leaving": frozenset({"lot", "time", "note"}),
    "conduct": frozenset({"matter", "time", "note"}),
    "arrears": frozenset({"lot", "amount", "time", "note"}),
    "booking": frozenset({"lot", "time", "note"}),
}
"""Each kind of template, and our words for what it may say. None of them is personal."""

DELIVERY: Final = Machine(
    "message_delivery",
    [
        (BORN, "born", "due"),
        ("due", "send", "sending"),
        ("due", "expire", "expired"),
        ("sending", "accept", "sent"),
        ("sending", "refuse", "refused"),
        ("sending", "postpone", "due"),
        ("sending", "lose", "unknown"),
    ],
)

LEASE: Final = timedelta(minutes=2)
"""A call with its token and both its tries ends long before."""
MOST_KEPT: Final = 20
"""Unspent consents kept for a motorist and a template; more would only be somebody's script."""
FIRST_PAUSE: Final = timedelta(seconds=30)
LONGEST_PAUSE: Final = timedelta(hours=1)


@dataclass(frozen=True)
class Push:
    """What WeChat shall show of a message: under a template of this kind, unless it comes after `until`.

    `told` by our own words, see `WORDS`.
    """

    kind: str
    told: Mapping[str, str]
    until: datetime


class TemplateUnfit(Invalid):
    """A template's keys are such as `thing1`, `phrase2`, `time3`, and each stands for one of our words."""

    code = "template_unfit"
    message = "模板字段须为 thing、phrase 或 time 类，并各对应一个可用的内容"


def check_fields(kind: str, fields: Mapping[str, str]) -> None:
    """Refuse `TemplateUnfit` unless every key can be filled with a word of this kind."""
    wrong = [key for key, word in fields.items() if not is_field(key) or word not in WORDS[kind]]
    if wrong or not fields:
        raise TemplateUnfit(fields=sorted(wrong), words=sorted(WORDS[kind]))


def values_of(fields: Mapping[str, str], told: Mapping[str, str]) -> dict[str, str]:
    """What stands under each of the template's keys, made to fit."""
    return {key: fitted(key, told[word]) for key, word in fields.items()}


def pause(failures: int) -> timedelta:
    """How long to rest after so many failures in a row: doubled each time, up to an hour."""
    doubled: int = 2 ** min(failures - 1, 20)
    return min(FIRST_PAUSE * doubled, LONGEST_PAUSE)
