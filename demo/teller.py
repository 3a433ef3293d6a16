"""Who tells in the terminal what happens: one line a step."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


class Teller:
    """Each line has the platform's moment, and how long the step took on this machine."""

    def __init__(self) -> None:
        self._now: Callable[[], datetime] | None = None
        self._since = time.monotonic()

    def follow(self, now: Callable[[], datetime]) -> None:
        """From here on lines carry the platform's moment."""
        self._now = now

    def say(self, who: str, what: str) -> None:
        """Tell what was done since the last line."""
        took, self._since = time.monotonic() - self._since, time.monotonic()
        moment = f"{self._now():%H:%M:%S}" if self._now else "        "
        print(f"{moment}  {took:6.2f} s  {who:<11}  {what}", flush=True)


@dataclass(frozen=True)
class Voice:
    """The lines of one visit."""

    teller: Teller
    name: str

    def __call__(self, what: str) -> None:
        self.teller.say(self.name, what)
