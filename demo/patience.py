"""Waiting for other processes: for a condition, never for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
FIRST_LOOK_SECONDS, LAST_LOOK_SECONDS = 0.03, 0.5
"""Looks become rarer, so that waiting does not meet a door's limits."""


class DemoFailed(Exception):
    """Something that the demonstration promises did not hold; one plain sentence."""


def awaited(what: str, look: Callable[[], T | None], seconds: float = 15) -> T:
    """What `look` sees as soon as it sees something true. Raises `DemoFailed` after so many seconds."""
    deadline, pause = time.monotonic() + seconds, FIRST_LOOK_SECONDS
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise DemoFailed(f"waited {seconds:g} s in vain: {what}")
        time.sleep(pause)
        pause = min(pause * 1.3, LAST_LOOK_SECONDS)
    return seen


def insist(holds: object, what: str) -> None:
    """Raise `DemoFailed` unless it holds."""
    if not holds:
        raise DemoFailed(what)


def insist_equal(what: str, seen: object, expected: object) -> None:
    """Raise `DemoFailed` when what is seen is not what the tariff, the law or the books ask for."""
    insist(seen == expected, f"{what}: {seen} instead of {expected}")
