"""Stable access tokens (稳定版接口调用凭据)."""

from collections.abc import Callable
from threading import RLock

from simulators.wechat.ids import Ids
from simulators.wechat.people import Errcode

LIFE_SECONDS = 7200
OVERLAP_SECONDS = 300
DAY_SECONDS = 86400
FORCED_PER_DAY = 20
FORCED_APART_SECONDS = 30


class Tokens:
    """In normal mode everybody gets the same token until its last five minutes; both are good then."""

    def __init__(self, ids: Ids, now: Callable[[], float]) -> None:
        self._ids = ids
        self._now = now
        self._lock = RLock()
        self._ends: dict[str, float] = {}
        self._current = ""
        self._forced: list[float] = []

    def issue(self, *, forced: bool) -> tuple[str, int]:
        """A token and its remaining seconds; raises `Errcode` when forced too often."""
        with self._lock:
            if forced:
                self._force()
            if self._ends.get(self._current, 0.0) - self._now() <= OVERLAP_SECONDS:
                self._current = f"{self._ids.digits(2)}_{self._ids.alphanumeric(134)}"
                self._ends[self._current] = self._now() + LIFE_SECONDS
            return self._current, int(self._ends[self._current] - self._now())

    def expect(self, token: str) -> None:
        """Raises `Errcode` unless the token is good now."""
        with self._lock:
            if not token:
                raise Errcode(41001, "access_token missing")
            if token not in self._ends:
                raise Errcode(40001, "invalid credential, access_token is invalid or not latest")
            if self._ends[token] <= self._now():
                raise Errcode(42001, "access_token expired")

    def revoke(self) -> None:
        """No token given so far is good any more."""
        with self._lock:
            self._ends.clear()

    def _force(self) -> None:
        self._forced = [at for at in self._forced if self._now() - at < DAY_SECONDS]
        if self._forced and self._now() - self._forced[-1] < FORCED_APART_SECONDS:
            raise Errcode(45011, "api minute-quota reach limit")
        if len(self._forced) >= FORCED_PER_DAY:
            raise Errcode(45009, "reach max api daily quota limit")
        self._forced.append(self._now())
        self._ends.pop(self._current, None)
