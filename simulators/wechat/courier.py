"""Brings notices to the merchant: at once, late, twice, or not at all, and again until it is thanked."""

import heapq
import http.client
import itertools
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Condition, RLock, Thread
from urllib.parse import urlsplit

from simulators.clock import Clock
from simulators.wechat.ids import Ids
from simulators.wechat.notices import FORGERIES, Attempt, Notice, Notices
from simulators.wechat.orders import Order

# WeChat Pay v3: 15s/15s/30s/3m/10m/20m/30m/30m/30m/60m/3h/3h/3h/6h/6h, 24 h 4 min in all.
RETRY_SECONDS = (15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600)
PATIENCE_SECONDS = 5.0
LOOK_SECONDS = 0.02
THANKS = (200, 204)
MODES = ("deliver", "drop", "delay", "duplicate", "reissue", "forge")


@dataclass
class Habit:
    """How payment notices travel: in `rate` of the cases by `mode`, else as they should.

    `seconds` is for delay, `copies` for duplicate (sent at the same moment), `kind` for forge (sent before the
    genuine one), and reissue tells the same under two ids.
    """

    mode: str = "deliver"
    rate: float = 1.0
    seconds: float = 0.0
    copies: int = 2
    kind: str = "signature"

    def __post_init__(self) -> None:
        if self.mode not in MODES or self.kind not in FORGERIES:
            raise ValueError(f"mode is one of {', '.join(MODES)}, kind one of {', '.join(FORGERIES)}")


class Courier:
    def __init__(self, notices: Notices, ids: Ids, clock: Clock, retry_factor: float) -> None:
        self.notices = notices
        self._ids = ids
        self._clock = clock
        self._factor = retry_factor
        self._lock = RLock()
        self._due = Condition(self._lock)
        self._round: list[tuple[float, int, Notice, int]] = []
        self._count = itertools.count()
        self._stopped = False
        self._written: dict[str, Notice] = {}
        self._habits: dict[str, Habit] = {}
        self._feet = ThreadPoolExecutor(max_workers=32, thread_name_prefix="courier")
        Thread(target=self._walk, name="courier", daemon=True).start()

    def adopt(self, habit: Habit, number: str = "") -> None:
        """From now on for one order's notices, or for all orders that have no habit of their own."""
        with self._lock:
            self._habits[number] = habit

    def announce(self, order: Order) -> Notice:
        """Tells the merchant that `order` is paid, in the way the habit says; returns the genuine notice."""
        return self.announce_as(
            order.number, lambda: self.notices.paid(order), lambda kind: self.notices.forged(order, kind)
        )

    def announce_as(
        self, number: str, write: Callable[[], Notice], forge: Callable[[str], Notice] | None = None
    ) -> Notice:
        """The same for whatever `write` writes; without `forge` nobody forges it."""
        notice = self._keep(write())
        habit = self._habit(number)
        if habit.mode == "drop":
            notice.state = "dropped"
            return notice
        if habit.mode == "forge" and forge is not None:
            self._schedule(self._keep(forge(habit.kind)), 0, self._clock.now())
        if habit.mode == "reissue":
            self._schedule(self._keep(write()), 0, self._clock.now())
        due = self._clock.now() + (habit.seconds if habit.mode == "delay" else 0)
        for _ in range(habit.copies if habit.mode == "duplicate" else 1):
            self._schedule(notice, 0, due)
        return notice

    def post(self, notice: Notice) -> None:
        """Sends one notice as it should be sent."""
        self._schedule(self._keep(notice), 0, self._clock.now())

    def report(self, notice: Notice, due: float) -> Notice:
        """Tells the merchant of a refund from `due` on; a habit may drop, delay or double such news."""
        habit = self._habit(notice.number)
        self._keep(notice)
        if habit.mode == "drop":
            notice.state = "dropped"
            return notice
        late = habit.seconds if habit.mode == "delay" else 0
        for _ in range(habit.copies if habit.mode == "duplicate" else 1):
            self._schedule(notice, 0, due + late)
        return notice

    def hand_over(self, notice: Notice, copies: int = 1) -> list[int]:
        """Delivers now, `copies` times at the same moment; returns the answers' statuses, 0 for none."""
        self._keep(notice)
        with ThreadPoolExecutor(max_workers=copies) as feet:
            attempts = list(feet.map(self._deliver, [notice] * copies))
        return [attempt.status for attempt in attempts]

    def stop(self) -> None:
        """Sets out no more; what is on its way arrives or times out."""
        with self._due:
            self._stopped = True
            self._due.notify()
        self._feet.shutdown(cancel_futures=True)

    def rest(self) -> None:
        """Gives up every notice that nobody has thanked for: none of them sets out again."""
        with self._lock:
            self._round.clear()
            for notice in self._written.values():
                notice.state = "given_up" if notice.state == "pending" else notice.state

    def of(self, number: str) -> list[Notice]:
        return [notice for notice in self.all() if notice.number == number]

    def notice(self, notice_id: str) -> Notice:
        """Raises `KeyError`."""
        with self._lock:
            return self._written[notice_id]

    def all(self) -> list[Notice]:
        with self._lock:
            return list(self._written.values())

    def replace(self, notices: list[Notice]) -> None:
        """Takes up saved notices and goes on where it stopped."""
        with self._lock:
            self._round.clear()
            self._written = {notice.id: notice for notice in notices}
        for notice in notices:
            if notice.state == "pending":
                self._schedule(notice, min(len(notice.attempts), len(RETRY_SECONDS)), self._clock.now())

    def _keep(self, notice: Notice) -> Notice:
        with self._lock:
            return self._written.setdefault(notice.id, notice)

    def _habit(self, number: str) -> Habit:
        with self._lock:
            habit = self._habits.get(number) or self._habits.get("") or Habit()
        return habit if self._ids.happens(habit.rate) else Habit()

    def _schedule(self, notice: Notice, step: int, due: float) -> None:
        with self._due:
            heapq.heappush(self._round, (due, next(self._count), notice, step))
            self._due.notify()

    def _walk(self) -> None:
        while not self._stopped:
            for notice, step in self._ripe():
                self._set_out(notice, step)

    def _set_out(self, notice: Notice, step: int) -> None:
        with self._lock:
            if not self._stopped:
                self._feet.submit(self._attempt, notice, step)

    def _ripe(self) -> list[tuple[Notice, int]]:
        """Waits briefly, because the clock can jump while nothing is announced."""
        with self._due:
            if not self._round or self._round[0][0] > self._clock.now():
                self._due.wait(LOOK_SECONDS if self._round else None)
            ripe = []
            while self._round and self._round[0][0] <= self._clock.now():
                _, _, notice, step = heapq.heappop(self._round)
                ripe.append((notice, step))
            return ripe

    def _attempt(self, notice: Notice, step: int) -> None:
        attempt = self._deliver(notice)
        if attempt.status in THANKS or notice.forgery or notice.state == "given_up":
            return
        if step < len(RETRY_SECONDS):
            self._schedule(notice, step + 1, attempt.at + RETRY_SECONDS[step] * self._factor)
        elif notice.state == "pending":
            notice.state = "given_up"

    def _deliver(self, notice: Notice) -> Attempt:
        attempt = _sent(notice, self.notices.headers(notice), self._clock.now)
        with self._lock:
            notice.attempts.append(attempt)
            if attempt.status in THANKS and not notice.forgery:
                notice.state = "delivered"
        return attempt


def _sent(notice: Notice, headers: dict[str, str], now: Callable[[], float]) -> Attempt:
    """One POST on a connection of its own; an answer later than 5 s is none."""
    at, started = now(), time.monotonic()
    try:
        status = _posted(notice.url, notice.body.encode(), headers)
    except (OSError, http.client.HTTPException) as error:
        return Attempt(at, 0, type(error).__name__)
    late = time.monotonic() - started > PATIENCE_SECONDS
    return Attempt(at, 0, "late") if late else Attempt(at, status)


def _posted(url: str, body: bytes, headers: dict[str, str]) -> int:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=PATIENCE_SECONDS)
    try:
        connection.request("POST", parts.path, body, headers)
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()
