"""Clients that call the reserve action itself, each a process with a connection of its own, without HTTP between."""

import multiprocessing
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from multiprocessing.connection import Connection

from flask import Flask

from app.domain.reservations.actions import reserve
from bench.city import ALL_LOTS, key_of
from bench.wishes import HOUR, a_beginning

FORK = multiprocessing.get_context("fork")
STARTED_SECONDS = 60


@contextmanager
def action_clients(app: Flask, motorists: Sequence[int], count: int) -> Iterator["Clients"]:
    """`count` processes that share motorists and lots out among themselves. The app must not be connected yet."""
    pipes = [FORK.Pipe() for _ in range(count)]
    processes = [
        FORK.Process(target=_serve, args=(app, motorists[number::count], ALL_LOTS[number::count], theirs), daemon=True)
        for number, (_, theirs) in enumerate(pipes)
    ]
    for process in processes:
        process.start()
    try:
        yield Clients([ours for ours, _ in pipes])
    finally:
        for process in processes:
            process.terminate()
            process.join()


class Clients:
    """The processes, idle until they are asked to reserve for some seconds."""

    def __init__(self, pipes: Sequence["Connection[float, int]"]) -> None:
        self._pipes = pipes

    def transactions_per_second(self, seconds: float) -> float:
        """How many reservations all clients together made and committed per second."""
        began = time.perf_counter()
        for pipe in self._pipes:
            pipe.send(seconds)
        made = sum(self._made(pipe) for pipe in self._pipes)
        return made / (time.perf_counter() - began)

    def _made(self, pipe: "Connection[float, int]") -> int:
        if not pipe.poll(STARTED_SECONDS):
            raise TimeoutError("a client does not answer")
        return pipe.recv()


def _serve(app: Flask, motorists: Sequence[int], lots: Sequence[int], pipe: "Connection[int, float]") -> None:
    """Reserve when asked; each motorist does so once, in an app context of its own as in a request."""
    waiting, chance = iter(motorists), random.Random(motorists[0])  # noqa: S311 - the same wishes in every run
    while True:
        seconds, made = pipe.recv(), 0
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            with app.app_context():
                reserve_once(next(waiting), chance.choice(lots), a_beginning(chance))
            made += 1
        pipe.send(made)


def reserve_once(motorist: int, lot: int, begins_at: datetime) -> None:
    """One reservation of one hour."""
    reserve(motorist, key_of(motorist), key_of(lot), begins_at, begins_at + HOUR)
