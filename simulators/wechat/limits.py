"""How often WeChat lets one operation be asked of it."""

from collections import defaultdict, deque
from threading import Lock

from simulators.wechat.errors import ApiError

WINDOW_SECONDS = 60.0


class Limits:
    """Counts calls of the last minute; a refused one is not counted."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._calls: dict[str, deque[float]] = defaultdict(deque)

    def expect_room(self, operation: str, most: int, now: float) -> None:
        """Raises 429 when `most` calls (0: no limit) were made within a minute."""
        with self._lock:
            calls = self._calls[operation]
            while calls and not now - WINDOW_SECONDS < calls[0] <= now:
                calls.popleft()  # a test may also have turned the clock back
            if most and len(calls) >= most:
                raise ApiError(429, "FREQUENCY_LIMITED", "频率超限，请降低请求接口频率")
            calls.append(now)
