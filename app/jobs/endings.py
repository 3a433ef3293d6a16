"""How jobs end, written down; or the worker ends with them.

The queue gives a job back when its worker is gone. If the database dies while it takes down how a job ended, the
library tells nobody and its worker lives on: the job would be `doing` for ever.
"""

from typing import Any

import structlog
from procrastinate.exceptions import ConnectorException
from procrastinate.job_context import JobContext
from procrastinate.jobs import Job
from procrastinate.manager import JobManager
from procrastinate.middleware import AsyncCallNext
from procrastinate.worker import Worker
from psycopg import OperationalError

log = structlog.get_logger("jobs")


class EndingLost(Exception):
    """Nobody knows whether the database took down how a job ended: it is given back, and perhaps done again."""


class Endings(JobManager):
    """The library's book of jobs, for a worker that stops when the book could not be reached."""

    _worker: Worker | None = None
    _lost: OperationalError | None = None

    async def of_worker(self, go_on: AsyncCallNext, _: JobContext, worker: Worker) -> Any:
        """Learn whose book it is; around every job."""
        self._worker = worker
        return await go_on()

    async def finish_job(self, job: Job, *args: Any, **kwargs: Any) -> None:
        """The job is over."""
        try:
            await super().finish_job(job, *args, **kwargs)
        except ConnectorException as failure:
            self._stop_if_unknown(job, failure)
            raise

    async def retry_job(self, job: Job, *args: Any, **kwargs: Any) -> None:
        """The job failed, and waits for its next attempt."""
        try:
            await super().retry_job(job, *args, **kwargs)
        except ConnectorException as failure:
            self._stop_if_unknown(job, failure)
            raise

    def must_be_known(self) -> None:
        """Raises `EndingLost` if one is not."""
        if self._lost is not None:
            raise EndingLost from self._lost

    def _stop_if_unknown(self, job: Job, failure: ConnectorException) -> None:
        """A database that refuses, as for a job that another worker has ended meanwhile, knows how it stands."""
        if self._worker is not None and isinstance(failure.__cause__, OperationalError):
            log.error("job_ending_lost", job=job.task_name)
            self._lost = failure.__cause__
            self._worker.stop()  # type: ignore[no-untyped-call]
