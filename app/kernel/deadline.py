"""What is asked of others over the line is over in time, however slowly they answer.

The timeouts of a request are for each piece that comes: a peer that sends a byte now and then is never late by them.
Here the whole has an end, from the greeting to the last byte: the lines that are in use then are shut, which wakes
whoever reads from them.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock, Timer
from typing import Any, Final

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection


class Overdue(TimeoutError):
    """The other side was not done in time; what has come of its answer counts for nothing."""


class NoDeadline(RuntimeError):
    """Raised to a programmer who calls out without saying how long that may last."""


class _Deadline:
    """The lines in use, which are shut once when the time is over: under other names, as TLS takes a socket's away."""

    def __init__(self) -> None:
        self.is_over = False
        self._lines: list[socket.socket] = []
        self._alone = Lock()

    def watch(self, line: socket.socket) -> None:
        """Shut this one too. Raises `Overdue` when it comes too late for that."""
        with self._alone:
            if self.is_over:
                raise Overdue
            self._lines.append(socket.socket(fileno=os.dup(line.fileno())))

    def pass_by(self) -> None:
        """Nobody waits any longer."""
        with self._alone:
            self.is_over = True
            for line in self._lines:
                _shut(line)

    def forget(self) -> None:
        """Whoever uses the lines next has a deadline of their own."""
        with self._alone:
            while self._lines:
                self._lines.pop().close()


def _shut(line: socket.socket) -> None:
    try:
        line.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the other side was faster


_RUNNING: Final[ContextVar[_Deadline | None]] = ContextVar("the running deadline", default=None)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """What is asked here is answered in so many seconds, or `Overdue` is raised, whatever else went wrong then."""
    deadline = _Deadline()
    timer = Timer(seconds, deadline.pass_by)
    timer.daemon = True
    token = _RUNNING.set(deadline)
    timer.start()
    try:
        yield
    except Exception as error:
        if deadline.is_over:
            raise Overdue from error
        raise
    finally:
        timer.cancel()
        _RUNNING.reset(token)
        deadline.forget()
    if deadline.is_over:
        raise Overdue


def watch(line: socket.socket) -> None:
    """Let the running deadline end this line. Raises `NoDeadline` when none runs."""
    deadline = _RUNNING.get()
    if deadline is None:
        raise NoDeadline("call out within(SECONDS)")
    deadline.watch(line)


class _Watched:
    """What both kinds of connection do: a new line is watched from its first byte, a kept one with each request."""

    def _new_conn(self) -> socket.socket:
        made: socket.socket = super()._new_conn()  # type: ignore[misc]
        try:
            watch(made)
        except BaseException:
            made.close()
            raise
        return made

    def request(self: Any, *words: Any, **how: Any) -> None:
        if self.sock is not None:
            watch(self.sock)
        super().request(*words, **how)  # type: ignore[misc]


def watch_lines(manager: PoolManager, *kinds: type, **told: Any) -> None:
    """Let all connections of these pools be watched; `kinds` and what they are `told` say how they connect."""
    http = type("Http", (_Watched, *kinds, HTTPConnection), told)
    https = type("Https", (_Watched, *kinds, HTTPSConnection), told)
    manager.pool_classes_by_scheme = {
        "http": type("HttpPool", (HTTPConnectionPool,), {"ConnectionCls": http}),
        "https": type("HttpsPool", (HTTPSConnectionPool,), {"ConnectionCls": https}),
    }
