"""The queue's register: which workers are alive, and how their jobs ended. What it did not take down is seen to.

The queue gives a job back when its worker is gone. The library tells nobody when the database dies while it takes down
how a job ended: the job would be `doing` for ever. Nor does it when one heartbeat fails: it would never beat again, and
the jobs of a living worker would be given back and done twice at once.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from procrastinate.job_context import JobContext
from procrastinate.jobs import Job
from procrastinate.manager import JobManager
from procrastinate.middleware import AsyncCallNext
from procrastinate.worker import Worker
from psycopg.errors import RaiseException

log = structlog.get_logger("jobs")


class EndingLost(Exception):
    """Nobody knows whether the database took down how a job ended: it is given back, and perhaps done again."""


class Register(JobManager):
    """The library's register, whose worker outlives a heartbeat that failed, and stops when an end is lost."""

    _worker: Worker | None = None
    _lost: Exception | None = None

    async def of_worker(self, go_on: AsyncCallNext, _: JobContext, worker: Worker) -> Any:
        """Learn whose register it is; around every job."""
        self._worker = worker
        return await go_on()

    async def update_heartbeat(self, worker_id: int) -> None:
        """The worker is alive. It counts as gone after three beats: one that failed is made good by the next."""
        try:
            await super().update_heartbeat(worker_id)
        except Exception:  # whatever it was, the library would never beat again
            log.exception("heartbeat_missed")

    async def finish_job(self, job: Job, *args: Any, **kwargs: Any) -> None:
        """The job is over."""
        with self._taking_down(job):
            await super().finish_job(job, *args, **kwargs)

    async def retry_job(self, job: Job, *args: Any, **kwargs: Any) -> None:
        """The job failed, and waits for its next attempt."""
        with self._taking_down(job):
            await super().retry_job(job, *args, **kwargs)

    def must_be_known(self) -> None:
        """Raises `EndingLost` if one is not."""
        if self._lost is not None:
            raise EndingLost from self._lost

    @contextmanager
    def _taking_down(self, job: Job) -> Iterator[None]:
        """Stop the worker unless the end is taken down, or the library's own word is that no such job is in hand.

        Another worker may have ended it meanwhile; whatever else came instead of a yes leaves it `doing`.
        """
        try:
            yield
        except Exception as failure:
            if not isinstance(failure.__cause__, RaiseException):
                log.exception("job_ending_lost", job=job.task_name)
                self._lost = failure
                if self._worker is not None:
                    self._worker.stop()  # type: ignore[no-untyped-call]
            raise
