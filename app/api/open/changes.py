"""When a feed's content last changed: noted in Redis whenever a fingerprint differs from the one before.

What is lost with Redis is only the note: the content then counts as changed now, and readers fetch it once more.
"""

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


def last_change(store: Redis, name: str, fingerprint: str, now: datetime) -> Change:
    """Since when the content is what it is; a content not seen before is noted."""
    moment = now.astimezone(UTC).replace(microsecond=0)
    try:
        return _noted(store, f"open:changed:{name}", fingerprint, moment)
    except RedisError as error:
        _log.warning("redis_away", error=type(error).__name__)
        return Change(moment, tells_apart=False)


def _noted(store: Any, key: str, fingerprint: str, moment: datetime) -> Change:
    known = store.hgetall(key)
    if known.get(b"fingerprint") == fingerprint.encode():
        return Change(datetime.fromtimestamp(int(known[b"at"]), UTC), tells_apart=known[b"alone"] == b"1")
    before = datetime.fromtimestamp(int(known.get(b"at", 0)), UTC)
    change = Change(max(moment, before), tells_apart=moment > before)
    noted = {"fingerprint": fingerprint, "at": int(change.at.timestamp()), "alone": int(change.tells_apart)}
    with store.pipeline(transaction=True) as together:
        together.hset(key, mapping=noted)
        together.expire(key, KEPT)
        together.execute()
    return change
