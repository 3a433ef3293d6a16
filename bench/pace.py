"""Requests that come at a fixed pace, however long the answers take: what they wait who cannot come later."""

import selectors
import socket
import time
from collections.abc import Iterator
from itertools import count

from bench.load import SILENCE_SECONDS, Line
from launcher.ports import HOST

LINES = 16
"""A request that is due and finds none free waits, and that counts."""


def waits(port: int, requests: Iterator[bytes], per_second: float, seconds: float) -> list[float]:
    """How many seconds each of the requests took, from when it was due; raises `UnexpectedAnswer` for any but 200."""
    with selectors.DefaultSelector() as selector:
        lines = [Line(socket.create_connection((HOST, port))) for _ in range(LINES)]
        try:
            for line in lines:
                selector.register(line.socket, selectors.EVENT_READ, line)
            return _paced(selector, lines, requests, per_second, int(per_second * seconds))
        finally:
            for line in lines:
                line.socket.close()


def _paced(
    selector: selectors.BaseSelector, idle: list[Line], requests: Iterator[bytes], per_second: float, wanted: int
) -> list[float]:
    took: list[float] = []
    due_of: dict[int, float] = {}
    began = time.perf_counter()
    due = (began + number / per_second for number in count())
    following = next(due)
    while len(took) < wanted:
        while idle and following <= time.perf_counter() and len(took) + len(due_of) < wanted:
            line = idle.pop(0)
            due_of[id(line)], following = following, next(due)
            line.send(next(requests))
        is_awaited = idle and len(took) + len(due_of) < wanted
        for line in _heard(selector, following - time.perf_counter() if is_awaited else SILENCE_SECONDS):
            line.insist_on(200)
            took.append(time.perf_counter() - due_of.pop(id(line)))
            idle.append(line)
    return took


def _heard(selector: selectors.BaseSelector, seconds: float) -> Iterator[Line]:
    """Lines whose answers are whole, as soon as one sends anything; none when nothing comes within so many seconds."""
    for key, _ in selector.select(max(0.0, seconds)):
        if key.data.has_answer():
            yield key.data
