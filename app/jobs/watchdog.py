"""A process in which something hangs is ended, so that its supervisor starts another, which finds the work again.

Nothing can end a thread of Python that waits for ever.
"""

import faulthandler
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context
from threading import Timer
from typing import Final

import structlog

HUNG: Final = 1
"""The exit code of a process that was ended here."""

log = structlog.get_logger("jobs")


@contextmanager
def no_longer_than(seconds: float, **what: str) -> Iterator[None]:
    """What is done within may last so long; then the log says what hung, stderr where, and the process ends at once."""
    timer = Timer(seconds, copy_context().run, [_end, seconds, what])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _end(seconds: float, what: dict[str, str]) -> None:
    try:
        log.error("hung", seconds=seconds, **what)
        faulthandler.dump_traceback()
    finally:
        os._exit(HUNG)
