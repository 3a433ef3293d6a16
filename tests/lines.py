"""Lines to the outside as a test sees them."""

import os
import socket
from contextlib import suppress
from threading import Event, Thread
from typing import Self

import pytest

linux = pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="this kernel ends no unanswered line early")
LIMITS = ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")
PATIENT = (10, 5, 3, 15_000)


def silence_borne(line: int) -> tuple[int, ...]:
    """What the kernel was told of the open socket with this number, in the order of `LIMITS`."""
    with socket.socket(fileno=os.dup(line)) as same:
        assert same.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        return tuple(same.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in LIMITS)


class Dripping:
    """A peer on this machine that says some words to whoever comes, and then a byte now and then for ever.

    With a `first` answer it says these words only when it is asked again on the same line; if it `greets`, unasked.
    """

    EACH_SECONDS = 0.02

    def __init__(self, words: bytes, first: bytes = b"", *, greets: bool = False) -> None:
        self._words, self._first, self._greets = words, first, greets
        self._over, self.visitors = Event(), 0
        self._door = socket.create_server(("127.0.0.1", 0))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        number: int = self._door.getsockname()[1]
        return number

    def __enter__(self) -> Self:
        Thread(target=self._admit, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        with suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()

    def _admit(self) -> None:
        with suppress(OSError):
            while not self._over.is_set():
                line, _ = self._door.accept()
                self.visitors += 1
                Thread(target=self._drip, args=(line,), daemon=True).start()

    def _drip(self, line: socket.socket) -> None:
        with line, suppress(OSError):
            for words in [self._first, self._words] if self._first else [self._words]:
                if not self._greets:
                    line.recv(65_536)
                line.sendall(words)
            while not self._over.wait(self.EACH_SECONDS):
                line.sendall(b"H")
