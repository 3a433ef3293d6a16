"""The worker: takes jobs from the queue and runs their handlers in threads."""

from collections.abc import Callable
from typing import Any

import structlog
from flask import Flask
from procrastinate import App, PsycopgConnector, RetryStrategy
from procrastinate.jobs import DeleteJobCondition

from app.jobs.counts import JOBS
from app.jobs.handlers import HANDLERS, run
from app.jobs.register import Register
from app.kernel.patience import PATIENCE
from app.kernel.trace import request_id
from app.settings import Settings

CONCURRENCY = 4
RETRY = RetryStrategy(max_attempts=8, exponential_wait=2)
"""Then the job rests as failed (`gongbo_jobs_failed`); the sweepers still find the row that it was about."""

log = structlog.get_logger("jobs")


def queue_of(settings: Settings) -> App:
    """The job library bound to our database; opens nothing yet."""
    address = settings.database_url.replace("+psycopg", "", 1)
    return App(connector=PsycopgConnector(conninfo=address, kwargs=PATIENCE))


def work(flask_app: Flask, settings: Settings, *, until_empty: bool = False) -> None:
    """Run jobs until SIGTERM; jobs in hand may end (20 s), the others stay in the queue.

    Raises `EndingLost` when the database did not take down how a job ended, so that a supervisor starts it anew.
    """
    jobs = queue_of(settings)
    jobs.job_manager = register = Register(jobs.connector)
    for name in HANDLERS:
        jobs.task(name=name, retry=RETRY)(_in_app(flask_app, name))
    log.info("worker_started", process="worker")
    jobs.run_worker(
        concurrency=CONCURRENCY, wait=not until_empty, delete_jobs=DeleteJobCondition.SUCCESSFUL,
        fetch_job_polling_interval=1.0, shutdown_graceful_timeout=20, worker_middleware=[register.of_worker],
    )  # fmt: skip
    register.must_be_known()


def _in_app(flask_app: Flask, name: str) -> Callable[..., None]:
    """The handler inside an app context of its own, under the request id that caused it."""

    def task(request_id_: str = "-", **arguments: Any) -> None:
        request_id.set(request_id_)
        with flask_app.app_context():
            try:
                run(name, arguments)
            except Exception:
                JOBS.labels(name, "failed").inc()
                log.exception("job_failed", job=name)
                raise
        JOBS.labels(name, "done").inc()
        log.info("job_done", job=name)

    return task
