"""A load generator: a fixed number of kept-alive connections, each sending its next request when an answer came."""

import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from launcher.ports import HOST

CONNECTIONS = 16
SILENCE_SECONDS = 60
END_OF_HEAD = b"\r\n\r\n"
LENGTH = b"content-length:"


class UnexpectedAnswer(Exception):
    """The server did not answer as it should: what was measured is worth nothing."""


@dataclass
class Line:
    """One connection and what has arrived of the answer."""

    socket: socket.socket
    received: bytearray = field(default_factory=bytearray)

    def send(self, request: bytes) -> None:
        self.received.clear()
        self.socket.sendall(request)

    def has_answer(self) -> bool:
        """Read what has come; whether the answer is whole."""
        part = self.socket.recv(65_536)
        if not part:
            raise UnexpectedAnswer("the server hung up")
        self.received += part
        head_ends = self.received.find(END_OF_HEAD)
        return head_ends >= 0 and len(self.received) - head_ends - len(END_OF_HEAD) >= self._length(head_ends)

    def _length(self, head_ends: int) -> int:
        head = bytes(self.received[:head_ends]).lower()
        begins = head.index(LENGTH) + len(LENGTH)
        return int(head[begins:].split(b"\r\n", 1)[0])

    @property
    def status(self) -> int:
        return int(self.received[9:12])

    def insist_on(self, *statuses: int) -> None:
        if self.status not in statuses:
            raise UnexpectedAnswer(bytes(self.received).decode(errors="replace"))


def one_answer(port: int, request: bytes, patience: float) -> bytes:
    """The body of one answer, waited for so many seconds: a server may have much to read before its first."""
    line = Line(socket.create_connection((HOST, port), timeout=patience))
    with line.socket:
        line.send(request)
        while not line.has_answer():
            pass
        line.insist_on(200)
        return bytes(line.received.split(END_OF_HEAD, 1)[1])


def requests_per_second(
    port: int, requests: Iterator[bytes], seconds: float, status: int = 200, connections: int = CONNECTIONS
) -> float:
    """How many answers came per second; raises `UnexpectedAnswer` for any other status than `status`."""
    return answers_per_second(port, requests, seconds, [status], connections)[status]


def answers_per_second(
    port: int, requests: Iterator[bytes], seconds: float, statuses: Sequence[int], connections: int = CONNECTIONS
) -> Mapping[int, float]:
    """How many answers of each status came per second; raises `UnexpectedAnswer` for any other."""
    with selectors.DefaultSelector() as selector:
        lines = [Line(socket.create_connection((HOST, port))) for _ in range(connections)]
        try:
            for line in lines:
                selector.register(line.socket, selectors.EVENT_READ, line)
            return _drive(selector, lines, requests, seconds, statuses)
        finally:
            for line in lines:
                line.socket.close()


def _drive(
    selector: selectors.BaseSelector, lines: Iterable[Line], requests: Iterator[bytes], seconds: float,
    statuses: Sequence[int],
) -> Mapping[int, float]:  # fmt: skip
    """Send until the time is over or all is sent, then wait for the last answers: a slow one counts as it is."""
    waiting, answers, began = 0, Counter[int](), time.perf_counter()
    for line, request in zip(lines, requests, strict=False):
        line.send(request)
        waiting += 1
    while waiting:
        for line in answered(selector):
            line.insist_on(*statuses)
            answers[line.status] += 1
            waiting -= 1
            if time.perf_counter() - began < seconds and (request := next(requests, b"")):
                line.send(request)
                waiting += 1
            else:
                selector.unregister(line.socket)  # the server hangs up on those that have no more to say
    took = time.perf_counter() - began
    return {status: answers[status] / took for status in statuses}


def answered(selector: selectors.BaseSelector) -> Iterator[Line]:
    """Lines whose answers are whole, as soon as one sends anything."""
    ready = selector.select(SILENCE_SECONDS)
    if not ready:
        raise UnexpectedAnswer(f"no answer within {SILENCE_SECONDS} s")
    for key, _ in ready:
        if key.data.has_answer():
            yield key.data
