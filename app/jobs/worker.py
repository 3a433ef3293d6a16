"""The worker: takes jobs from the queue and runs their handlers in threads."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import structlog
from flask import Flask
from procrastinate import App, PsycopgConnector, RetryStrategy
from procrastinate.jobs import DeleteJobCondition
from procrastinate.worker import Worker

from app.jobs.counts import JOBS
from app.jobs.handlers import HANDLERS, run
from app.jobs.register import Register
from app.jobs.watchdog import no_longer_than
from app.kernel.patience import PATIENCE
from app.kernel.trace import request_id
from app.settings import Settings

CONCURRENCY = 4
ATTEMPTS = 8
RETRY = RetryStrategy(max_attempts=ATTEMPTS, exponential_wait=2)
"""Then the job rests as failed (`gongbo_jobs_failed`); the sweepers still find the row that it was about."""
GRACE_SECONDS = 20.0
"""Jobs in hand may end for so long when the worker is to stop."""
STOP_SECONDS = 25.0
"""What then still holds the worker hangs; a supervisor waits for half a minute."""
JOB_SECONDS = 7_200.0
"""A job that lasts longer hangs. Of the honest ones the proof of the whole audit log is the longest, some minutes, and
grows with the years; a bill of a million lines takes one."""

log = structlog.get_logger("jobs")


def queue_of(settings: Settings) -> App:
    """The job library bound to our database; opens nothing yet."""
    address = settings.database_url.replace("+psycopg", "", 1)
    return App(connector=PsycopgConnector(conninfo=address, kwargs=PATIENCE))


class MortalWorker(Worker):
    """The library's worker, whose end comes: by itself it waits for ever for a handler that hangs in its thread."""

    def __init__(self, jobs: App, *, until_empty: bool) -> None:
        super().__init__(
            jobs, concurrency=CONCURRENCY, wait=not until_empty, delete_jobs=DeleteJobCondition.SUCCESSFUL,
            fetch_job_polling_interval=1.0, shutdown_graceful_timeout=GRACE_SECONDS,
        )  # fmt: skip
        jobs.job_manager = self.register = Register(jobs.connector, self.stop)
        self._ending = ExitStack()

    def stop(self) -> None:
        """Take no more jobs, and end with those in hand, or without them."""
        self._ending.enter_context(no_longer_than(STOP_SECONDS, process="worker"))
        super().stop()  # type: ignore[no-untyped-call]

    async def live(self) -> None:
        """Work until it is time to stop."""
        with self._ending:
            async with self.app.open_async():
                await self.run()  # type: ignore[no-untyped-call]


def work(flask_app: Flask, settings: Settings, *, until_empty: bool = False) -> None:
    """Run jobs until SIGTERM; jobs in hand may end (20 s), the others stay in the queue.

    Raises `EndingLost` when the database did not take down how a job ended, so that a supervisor starts it anew. A job
    that hangs ends the process, as does what hangs when it stops.
    """
    jobs = queue_of(settings)
    for name in HANDLERS:
        jobs.task(name=name, retry=RETRY)(_in_app(flask_app, name))
    log.info("worker_started", process="worker")
    worker = MortalWorker(jobs, until_empty=until_empty)
    asyncio.run(worker.live())
    worker.register.must_be_known()


def _in_app(flask_app: Flask, name: str) -> Callable[..., None]:
    """The handler inside an app context of its own, under the request id that caused it."""

    def task(request_id_: str = "-", **arguments: Any) -> None:
        request_id.set(request_id_)
        with no_longer_than(JOB_SECONDS, job=name), flask_app.app_context():
            try:
                run(name, arguments)
            except Exception:
                JOBS.labels(name, "failed").inc()
                log.exception("job_failed", job=name)
                raise
        JOBS.labels(name, "done").inc()
        log.info("job_done", job=name)

    return task
