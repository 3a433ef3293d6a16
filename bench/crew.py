"""Processes that each do a task when told to, all at the same time, with a connection of their own to the database."""

import multiprocessing
from collections.abc import Iterator, Sequence
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
def crew_of(app: Flask, count: int) -> Iterator["Crew"]:
    """So many processes, idle. The app must not be connected yet, for they are forked from this one."""
    pipes = [FORK.Pipe() for _ in range(count)]
    processes = [FORK.Process(target=_serve, args=(app, theirs), daemon=True) for _, theirs in pipes]
    for process in processes:
        process.start()
    try:
        yield Crew([ours for ours, _ in pipes])
    finally:
        for process in processes:
            process.terminate()
            process.join()


class Crew:
    """The processes."""

    def __init__(self, pipes: Sequence["Connection"]) -> None:
        self._pipes = pipes

    def run(self, tasks: Sequence[Task[Result_co]]) -> Sequence[Result_co]:
        """One task for each process; what came of each, when all have done theirs."""
        for pipe, task in zip(self._pipes, tasks, strict=True):
            pipe.send(task)
        return [_received(pipe) for pipe in self._pipes]


def _received(pipe: "Connection") -> Any:
    if not pipe.poll(PATIENCE_SECONDS):
        raise TimeoutError("a process of the crew does not answer")
    return pipe.recv()


def _serve(app: Flask, pipe: "Connection") -> None:
    while True:
        result = pipe.recv().run(app)
        with app.app_context():  # the server adds up what it counted for a connection when that ends
            app.extensions["sqlalchemy"].engine.dispose()
        pipe.send(result)
