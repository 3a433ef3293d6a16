"""Whoever wishes the platform ill: kills without warning, empties Valkey, cuts lines; the seed says when and what.

It strikes again only when something has come about since: whoever dies before they have begun proves nothing, and on a
slow machine nothing would ever come about.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import psutil
import redis

from bench.chaos.house import House
from bench.chaos.line import CUTS, WHOLE, Line
from launcher.processes import await_that
from launcher.servers import Servers

REST_SECONDS: Final = (3.0, 9.0)
CUT_SECONDS: Final = (0.5, 4.0)
COME_ABOUT: Final = 6
"""So many visits and messages must have ended since, or so many seconds have passed."""
PATIENCE_SECONDS: Final = 60.0
DECK: Final = (
    "web worker", "web worker", "web worker", "all of web", "job worker", "job worker", "sweepers", "PostgreSQL",
    "Valkey flushed", *(f"line {cut}" for cut in CUTS), "line reset",
)  # fmt: skip
"""Dealt in random order, then anew: no run is spared any of them."""


class Nemesis:
    """Acts in a thread of its own until told to rest."""

    def __init__(
        self, seed: int, house: House, servers: Servers, lines: Mapping[str, Line], come_about: Callable[[], int]
    ) -> None:
        self.deeds: Counter[str] = Counter()
        self.failure: BaseException | None = None
        self._chance = random.Random(seed)  # noqa: S311 - the same misfortunes for the same seed
        self._house, self._servers, self._lines, self._come_about = house, servers, lines, come_about
        self._resting = threading.Event()
        self._deck: list[str] = []

    @contextmanager
    def at_large(self) -> Iterator[None]:
        """Misfortune happens until the block ends; then everything runs and every line is whole again."""
        self._resting.clear()
        acting = threading.Thread(target=self._act, name="nemesis", daemon=True)
        acting.start()
        try:
            yield
        finally:
            self._resting.set()
            acting.join()
        if self.failure is not None:
            raise self.failure

    def _act(self) -> None:
        try:
            while not self._resting.wait(self._chance.uniform(*REST_SECONDS)):
                deed, before = self._dealt(), self._come_about()
                self.deeds[deed] += 1
                self._do(deed)
                self._let_something_come_about(before)
        except BaseException as failure:  # noqa: BLE001 - raised where the run waits
            self.failure = failure

    def _let_something_come_about(self, since: int) -> None:
        await_that(lambda: self._resting.is_set() or self._come_about() >= since + COME_ABOUT, PATIENCE_SECONDS)

    def _dealt(self) -> str:
        if not self._deck:
            self._deck = list(DECK)
            self._chance.shuffle(self._deck)
        return self._deck.pop()

    def _do(self, deed: str) -> None:
        if deed.startswith("line "):
            self._cut(deed.removeprefix("line "))
            return
        deeds: Mapping[str, Callable[[], None]] = {
            "web worker": lambda: self._kill_web(everything=False),
            "all of web": lambda: self._kill_web(everything=True),
            "job worker": lambda: _kill(self._house.process("worker", self._chance.randrange(2))),
            "sweepers": lambda: _kill(self._house.process("sweepers")),
            "PostgreSQL": self._kill_postgres,
            "Valkey flushed": self._flush,
        }
        deeds[deed]()

    def _kill_web(self, *, everything: bool) -> None:
        master = self._house.process("web")
        if master is None:
            return
        workers = master.children()
        if everything:
            for each in [master, *workers]:
                _kill(each)
        elif workers:
            _kill(self._chance.choice(workers))

    def _kill_postgres(self) -> None:
        """The postmaster first, so that it mends nothing; then its children, or they would block the restart."""
        running = self._servers.postgres.postmaster()
        if running is not None:
            master = psutil.Process(running.pid)
            for each in [master, *master.children(recursive=True)]:
                _kill(each)
        self._servers.up(valkey=False)

    def _flush(self) -> None:
        with redis.Redis.from_url(self._servers.valkey.url) as valkey:
            valkey.flushall()

    def _cut(self, mode: str) -> None:
        names = self._chance.choice((("out",), ("out",), ("in",), ("out", "in")))
        for name in names:
            self._lines[name].set(mode)
        self._resting.wait(self._chance.uniform(*CUT_SECONDS))
        for name in names:
            self._lines[name].set(WHOLE)


def _kill(process: psutil.Process | None) -> None:
    """SIGKILL; somebody who is gone already is as good."""
    try:
        if process is not None:
            process.kill()
    except psutil.NoSuchProcess:
        return
