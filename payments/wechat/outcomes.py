"""What a call to WeChat Pay can come to."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Done(Generic[T]):
    """WeChat did it and signed the answer."""

    value: T


@dataclass(frozen=True)
class Refused:
    """A definite 4xx. Branch on `code`, never on `status`: one code has several.

    With `signed=False` it proves nothing about the order (anyone on the way may have written it):
    it may only decide whether to retry or to raise an alarm.
    """

    code: str
    status: int
    request_id: str | None
    signed: bool


@dataclass(frozen=True)
class Unknown:
    """Whether it happened cannot be told: timeout, lost connection, 5xx, or a 2xx not proven WeChat's.

    The way out is a query, or the identical request again.
    """

    why: str
