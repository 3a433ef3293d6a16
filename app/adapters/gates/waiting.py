"""Gates that wait for commands: thousands in one process, each a parked greenlet and nothing else.

Who waits holds no transaction and no connection. One subscriber per process hears from Redis which gate has news;
every few seconds one query asks the database for all that wait, so that nothing depends on Redis but promptness.
"""

import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

import structlog
from redis import Redis
from redis.client import PubSub
from redis.exceptions import RedisError

from app.kernel.db import in_transaction

RECHECK_SECONDS = 5.0
AWAY_SECONDS = 5.0
"""How long Redis is left alone after it failed, so that not every poll waits for it."""

_log = structlog.get_logger("gates")


def announce(redis: Redis, device_id: int) -> None:
    """Tell the process in which this gate waits, whichever it is, that a command is there.

    While Redis is away nobody hears it, and the recheck of that process finds the command some seconds later.
    """
    try:
        redis.publish(_channel(redis), f"wake {device_id}")
    except RedisError as error:
        _log.warning("redis_away", error=type(error).__name__)


def _channel(redis: Redis) -> str:
    """Channels know no databases: two platforms on one server would wake each other's gates."""
    return f"gates:{redis.connection_pool.connection_kwargs.get('db', 0)}"


class WaitsInTransaction(RuntimeError):
    """Raised to a programmer who waits while holding a transaction."""


class Place:
    """Where one gate waits. A newer poll of the same gate takes its place and sends it home."""

    def __init__(self, device_id: int) -> None:
        self.device_id = device_id
        self.displaced = False
        self._rung = threading.Event()

    def wait(self, until: float) -> bool:
        """Wait for news until a moment of the machine's monotonic clock; false when there was none."""
        if in_transaction():
            raise WaitsInTransaction
        rung = self._rung.wait(max(0.0, until - time.monotonic()))
        self._rung.clear()
        return rung and not self.displaced

    def ring(self) -> None:
        """There is news."""
        self._rung.set()

    def leave(self) -> None:
        """Another poll of the same gate has come: end this one."""
        self.displaced = True
        self._rung.set()


class WaitingRoom:
    """The gates that wait in this process. `with_news` names those of some gates that have commands, in one query."""

    def __init__(
        self, redis: Redis, with_news: Callable[[Collection[int]], Collection[int]], recheck: float = RECHECK_SECONDS
    ) -> None:
        self._redis, self._with_news, self._recheck = redis, with_news, recheck
        self._places: dict[int, Place] = {}
        self._publishing, self._starting = threading.Lock(), threading.Lock()
        self._started, self._closed = False, threading.Event()
        self._away_until = 0.0
        self._name = uuid.uuid4().hex

    @contextmanager
    def place(self, device_id: int) -> Iterator[Place]:
        """A place for one gate's poll; whoever waited for this gate before, here or in another process, leaves."""
        self._start()
        place = Place(device_id)
        before, self._places[device_id] = self._places.get(device_id), place
        if before is not None:
            before.leave()
        if self._closed.is_set():
            place.leave()
        try:
            self._tell(f"poll {device_id} {self._name}")
            yield place
        finally:
            if self._places.get(device_id) is place:
                del self._places[device_id]

    def waiting(self) -> int:
        """How many gates wait in this process."""
        return len(self._places)

    def close(self) -> None:
        """Listen no more, and send all that wait home: a process that ends serves out what it began, but no waiting."""
        self._closed.set()
        for place in list(self._places.values()):
            place.leave()

    def _tell(self, news: str) -> None:
        """One connection is enough for all; while Redis is away the next recheck finds what was not told."""
        if time.monotonic() < self._away_until:
            return
        try:
            with self._publishing:
                self._redis.publish(_channel(self._redis), news)
        except RedisError as error:
            self._away_until = time.monotonic() + AWAY_SECONDS
            _log.warning("redis_away", error=type(error).__name__)

    def _start(self) -> None:
        """Begin to listen with the first poll: after the fork, in the process that serves it."""
        with self._starting:
            if self._started:
                return
            self._started = True
            for name, task in (("listen", self._listen), ("recheck", self._look_again)):
                threading.Thread(target=task, name=f"gates-{name}", daemon=True).start()

    def _listen(self) -> None:
        while not self._closed.is_set():
            try:
                self._hear_all()
            except Exception as error:  # noqa: BLE001 - redis-py meets a closed connection with more than its own errors
                _log.warning("redis_away", error=type(error).__name__)
                self._closed.wait(1.0)

    def _hear_all(self) -> None:
        with PubSub(self._redis.connection_pool, ignore_subscribe_messages=True) as subscription:
            subscription.subscribe(_channel(self._redis))
            while not self._closed.is_set():
                message = subscription.get_message(timeout=self._recheck)
                if message is not None:
                    self._hear(bytes(message["data"]).decode())

    def _hear(self, news: str) -> None:
        """A poll in another process takes the place of ours; our own polls have settled that among themselves."""
        word, device_id, *process = news.split(" ")
        place = self._places.get(int(device_id))
        if place is None:
            return
        if word == "wake":
            place.ring()
        elif process != [self._name]:
            place.leave()

    def _look_again(self) -> None:
        while not self._closed.wait(self._recheck):
            try:
                for device_id in self._with_news(list(self._places)) if self._places else ():
                    self._ring(device_id)
            except Exception as error:  # noqa: BLE001 - the polls of a whole process hang on this loop
                _log.error("recheck_failed", error=type(error).__name__)

    def _ring(self, device_id: int) -> None:
        place = self._places.get(device_id)
        if place is not None:
            place.ring()
