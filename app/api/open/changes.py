"""When a feed's content last changed: noted in Redis whenever a fingerprint differs from the one before.

What is lost with Redis is only the note: the content then counts as changed now, and readers fetch it once more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from redis import Redis
from redis.exceptions import RedisError

KEPT = timedelta(days=2)
"""Longer than a reader stays away; pages that nobody asks for are forgotten."""

_log = structlog.get_logger("open_data")


@dataclass(frozen=True)
class Change:
    """`at` is to the second, as HTTP's dates are, and never earlier than that of the content before.

    Where two contents share a second, `tells_apart` is False: a date alone does not say which one a reader has.
    """

    at: datetime
    tells_apart: bool


@dataclass(frozen=True)
class Look:
    """One look at a content: when, and from which transaction on changes could not be seen yet."""

    at: datetime
    horizon: int


@dataclass(frozen=True)
class Known:
    """What was seen at the last look."""

    fingerprint: str
    change: Change
    look: Look


def last_look(store: Redis, name: str) -> Known | None:
    """What is noted, if anything."""
    try:
        noted: dict[bytes, bytes] = store.hgetall(f"open:seen:{name}")  # type: ignore[assignment]
    except RedisError as error:
        _log.warning("redis_away", error=type(error).__name__)
        return None
    if not noted:
        return None
    change = Change(_moment(noted[b"at"]), tells_apart=noted[b"alone"] == b"1")
    return Known(noted[b"fingerprint"].decode(), change, Look(_moment(noted[b"looked"]), int(noted[b"horizon"])))


def note(store: Redis, name: str, fingerprint: str, look: Look) -> Change:
    """Since when the content is what it is; the look is noted."""
    change = _change(last_look(store, name), fingerprint, look.at.astimezone(UTC).replace(microsecond=0))
    noted: dict[str, str | int | float] = {
        "fingerprint": fingerprint, "at": change.at.timestamp(), "alone": int(change.tells_apart),
        "looked": look.at.timestamp(), "horizon": look.horizon,
    }  # fmt: skip
    try:
        _keep(store, f"open:seen:{name}", noted)
    except RedisError:
        return Change(change.at, tells_apart=False)
    return change


def _keep(store: Any, key: str, noted: Mapping[str, str | int | float]) -> None:
    with store.pipeline(transaction=True) as together:
        together.hset(key, mapping=noted)
        together.expire(key, KEPT)
        together.execute()


def _change(known: Known | None, fingerprint: str, moment: datetime) -> Change:
    if known is None:
        return Change(moment, tells_apart=True)
    if known.fingerprint == fingerprint:
        return known.change
    return Change(max(moment, known.change.at), tells_apart=moment > known.change.at)


def _moment(noted: bytes) -> datetime:
    return datetime.fromtimestamp(float(noted), UTC)
