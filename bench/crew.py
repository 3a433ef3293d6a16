"""Clients that each do a task when told to, all at the same time: threads in a few processes, as a server has workers.

A process for each of sixty-four clients would measure how two cores fare with a hundred and thirty processes.
"""

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, Final, Protocol, TypeVar

from flask import Flask

FORK: Final = multiprocessing.get_context("fork")
PATIENCE_SECONDS: Final = 600
Result_co = TypeVar("Result_co", covariant=True)


class Task(Protocol[Result_co]):
    """Something to do with the app; travels through a pipe, as does what comes of it."""

    def run(self, app: Flask) -> Result_co:
        """Do it."""


@contextmanager
def crew_of(app: Flask, processes: int, each: int) -> Iterator["Crew"]:
    """So many processes with `each` clients, idle. The app must not be connected yet, for they are forked from it.

    Each process has the platform's own pool of connections, which its clients share.
    """
    pipes = [FORK.Pipe() for _ in range(processes)]
    members = [FORK.Process(target=_serve, args=(app, theirs, each), daemon=True) for _, theirs in pipes]
    for member in members:
        member.start()
    try:
        yield Crew([ours for ours, _ in pipes])
    finally:
        for member in members:
            member.terminate()
            member.join()


class Crew:
    """The processes."""

    def __init__(self, pipes: Sequence["Connection"]) -> None:
        self._pipes = pipes

    def run(self, tasks: Sequence[Task[Result_co]]) -> Sequence[Result_co]:
        """One task for each client; what came of each, when all have done theirs."""
        for number, pipe in enumerate(self._pipes):
            pipe.send(tasks[number :: len(self._pipes)])
        came = [_received(pipe) for pipe in self._pipes]
        return [came[number % len(came)][number // len(came)] for number in range(len(tasks))]

    def hang_up(self) -> None:
        """End all connections: only then has the server added up what it counted for each."""
        self.run([HangUp() for _ in self._pipes])


class HangUp:
    """A task: the process is not connected any more, until it is asked for something else."""

    def run(self, app: Flask) -> None:
        """Close what the pool holds."""
        with app.app_context():
            app.extensions["sqlalchemy"].engine.dispose()


def _received(pipe: "Connection") -> Any:
    if not pipe.poll(PATIENCE_SECONDS):
        raise TimeoutError("a process of the crew does not answer")
    return pipe.recv()


def _serve(app: Flask, pipe: "Connection", clients: int) -> None:
    with ThreadPoolExecutor(clients) as threads:
        while True:
            pipe.send(list(threads.map(lambda task: task.run(app), pipe.recv())))
