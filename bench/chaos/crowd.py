"""Many scripts at once: threads take whichever is ready, at random, and let it go one step further."""

import random
import threading
import time
from collections.abc import Generator
from typing import Final

from launcher.processes import await_that

THREADS: Final = 8
IDLE_SECONDS: Final = 0.02
LATER: Final = float("inf")
"""What a script yields that goes on after the clock has jumped."""

Script = Generator[float, None, None]
"""Yields how many seconds it waits at least before its next step."""


class Crowd:
    """The scripts that are not over."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - an order, not a secret
        self._lock = threading.Lock()
        self._waiting: list[tuple[float, Script]] = []
        self._after_jump: list[Script] = []
        self._in_hand = 0
        self.over = 0
        """How many scripts have ended."""
        self._ended = threading.Event()
        self._failures: list[BaseException] = []
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(THREADS)]
        for each in self._threads:
            each.start()

    def add(self, script: Script) -> None:
        """Another one, ready at once."""
        with self._lock:
            self._waiting.append((0.0, script))

    def jumped(self) -> None:
        """The clock has jumped: those who waited for it go on."""
        with self._lock:
            ready, self._after_jump = self._after_jump, []
            self._waiting += [(0.0, script) for script in ready]

    def await_rest(self, seconds: float) -> bool:
        """Whether all scripts are over, or wait for the clock, within so many seconds. Raises what a script raised."""
        await_that(lambda: self.left == 0 or bool(self._failures), seconds)
        if self._failures:
            raise self._failures[0]
        return self.left == 0

    @property
    def left(self) -> int:
        """Scripts that are not over and do not wait for the clock."""
        with self._lock:
            return len(self._waiting) + self._in_hand

    def go_home(self) -> None:
        """Whatever is in hand is done; no more is begun."""
        self._ended.set()
        for each in self._threads:
            each.join()

    def _work(self) -> None:
        while not self._ended.is_set():
            script = self._taken()
            if script is None:
                time.sleep(IDLE_SECONDS)
            else:
                self._step(script)

    def _taken(self) -> Script | None:
        now = time.monotonic()
        with self._lock:
            ready = [place for place, (at, _) in enumerate(self._waiting) if at <= now]
            if not ready:
                return None
            self._in_hand += 1
            return self._waiting.pop(self._chance.choice(ready))[1]

    def _step(self, script: Script) -> None:
        try:
            pause = next(script)
        except StopIteration:
            pause = None
        except BaseException as failure:  # noqa: BLE001 - raised where the run waits
            self._failures.append(failure)
            pause = None
        with self._lock:
            self._in_hand -= 1
            self.over += pause is None
            if pause == LATER:
                self._after_jump.append(script)
            elif pause is not None:
                self._waiting.append((time.monotonic() + pause, script))
