"""What hangs ends its process, which a supervisor starts again: a job, the stop of a worker, a sweep."""

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from threading import Event
from typing import Any

import psycopg
import pytest
from flask import Flask
from procrastinate.exceptions import ConnectorException

from app.jobs import handlers, worker
from app.jobs.sweepers import Sweeper, sweep_once
from app.kernel.db import transaction
from app.kernel.queue import enqueue
from app.wiring import wiring
from tests.jobs.test_queue import ROOT, until, waiting

PATIENCE = 20.0
"""Longer than anything here takes."""


class Ended:
    """Stands for the end of this process: what hangs is let go then."""

    def __init__(self) -> None:
        self.code: int | None = None
        self._over = Event()

    def end(self, code: int) -> None:
        self.code = code
        self._over.set()

    def hang(self, **_: int) -> int:
        self._over.wait(PATIENCE)
        return 0


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> Ended:
    it = Ended()
    monkeypatch.setattr(os, "_exit", it.end)
    monkeypatch.setattr(handlers, "HANDLERS", {**handlers.HANDLERS, "gates.wake": it.hang})
    return it


def test_a_job_that_hangs_ends_its_worker(app: Flask, ended: Ended, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "JOB_SECONDS", 0.01)
    with transaction():
        enqueue("gates.wake", device_id=1)
    worker.work(app, wiring().settings, until_empty=True)
    assert ended.code == 1


@pytest.fixture
def unfetchable(admin: psycopg.Connection[Any]) -> Iterator[None]:
    """A database that refuses to hand out one kind of job."""
    admin.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE USING ERRCODE = 'XX000'; END$$"
    )
    admin.execute(
        "CREATE TRIGGER refuse BEFORE UPDATE ON procrastinate_jobs FOR EACH ROW WHEN (NEW.task_name = 'stays.settle')"
        " EXECUTE FUNCTION refuse()"
    )
    yield
    admin.execute("DROP FUNCTION refuse CASCADE")


def test_a_worker_that_can_take_no_job_ends_whatever_hangs(
    app: Flask, ended: Ended, unfetchable: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "GRACE_SECONDS", 0.01)
    monkeypatch.setattr(worker, "STOP_SECONDS", 0.05)
    with transaction():
        enqueue("gates.wake", device_id=1)
        enqueue("stays.settle", source_key=str(uuid.uuid4()))
    with pytest.raises(ConnectorException):
        worker.work(app, wiring().settings, until_empty=True)
    assert ended.code == 1


def test_a_sweep_that_hangs_ends_the_sweepers(app: Flask, ended: Ended) -> None:
    assert sweep_once(app, Sweeper("hanging", 1.0, ended.hang, within=0.01)) == 0
    assert ended.code == 1


def test_what_ends_in_time_ends_no_process(app: Flask, ended: Ended) -> None:
    for _ in range(3):
        assert sweep_once(app, Sweeper("quick", 1.0, lambda: 0, within=PATIENCE)) == 0
    assert ended.code is None


HANGING = """
from app.jobs import __main__, handlers, worker
import time
handlers.HANDLERS = {**handlers.HANDLERS, "gates.wake": lambda device_id: time.sleep(1000)}
worker.GRACE_SECONDS, worker.STOP_SECONDS = 0.01, 0.1
__main__.main()
"""


def test_a_worker_whose_job_hangs_ends_all_the_same_when_it_is_terminated(
    environment: Mapping[str, str], app: Flask, admin: psycopg.Connection[Any]
) -> None:
    with transaction():
        enqueue("gates.wake", device_id=1)
    command = [sys.executable, "-c", HANGING, "worker"]
    hanging = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.DEVNULL)
    until(lambda: waiting(admin) == [("gates.wake", "doing")])
    hanging.send_signal(signal.SIGTERM)
    assert hanging.wait(20) == 1
