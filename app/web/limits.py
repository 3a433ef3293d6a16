"""How often somebody may ask. Counted in Redis, and in this process alone while Redis is away.

Limits only slow people down; nothing that must hold depends on them (those promises live in PostgreSQL).
"""

import functools
import time
from collections import Counter

import structlog
from flask import Flask, current_app
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis.exceptions import RedisError
from werkzeug.exceptions import TooManyRequests

AWAY_SECONDS = 5.0
"""How long Redis is left alone after it failed, so that not every request waits for it."""

_log = structlog.get_logger("limits")


class Glances:
    """Counts in fixed windows in this process's memory; `limits` would start a thread for each count."""

    def __init__(self) -> None:
        self._window = 0.0
        self._counts: Counter[tuple[RateLimitItem, str]] = Counter()

    def hit(self, item: RateLimitItem, who: str) -> bool:
        """Count one act; says no when the window has seen as many as may be. All windows begin anew together."""
        if time.monotonic() - self._window > item.get_expiry():
            self._window = time.monotonic()
            self._counts.clear()
        self._counts[item, who] += 1
        return self._counts[item, who] <= item.amount


_rule = functools.lru_cache(parse)


class Limits:
    """Counters for one process, shared with the others through Redis as long as it answers."""

    def __init__(self, redis_url: str) -> None:
        waiting = {"socket_connect_timeout": 0.3, "socket_timeout": 0.3}
        self._shared = MovingWindowRateLimiter(RedisStorage(redis_url, **waiting))  # type: ignore[arg-type]
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._glances = Glances()
        self._away_until = 0.0

    def take(self, rule: str, who: str) -> None:
        """Count one act of `who` against a rule such as `6/minute`; raises 429 with Retry-After when it is spent.

        `who` goes to Redis: ids and blind indexes only, never an openid or a phone.
        """
        item = _rule(rule)
        if not self._hit(item, who):
            raise TooManyRequests(retry_after=item.get_expiry())

    def take_here(self, rule: str, who: str) -> None:
        """The same, counted by this process alone: for what is asked so often that a round trip would show."""
        item = _rule(rule)
        if not self._glances.hit(item, who):
            raise TooManyRequests(retry_after=item.get_expiry())

    def _hit(self, item: RateLimitItem, who: str) -> bool:
        if time.monotonic() >= self._away_until:
            try:
                return self._shared.hit(item, who)
            except RedisError as error:
                self._away_until = time.monotonic() + AWAY_SECONDS
                _log.warning("redis_away", error=type(error).__name__)
        return self._own.hit(item, who)


def attach(app: Flask, redis_url: str) -> None:
    """Give the app its counters."""
    app.extensions["limits"] = Limits(redis_url)


def take(rule: str, who: str) -> None:
    """`Limits.take` of the running app."""
    limits = current_app.extensions["limits"]
    assert isinstance(limits, Limits)
    limits.take(rule, who)


def take_here(rule: str, who: str) -> None:
    """`Limits.take_here` of the running app."""
    limits = current_app.extensions["limits"]
    assert isinstance(limits, Limits)
    limits.take_here(rule, who)
