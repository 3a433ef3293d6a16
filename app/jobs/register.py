"""The queue's register: which workers are alive, and how their jobs ended. What it did not take down is seen to.

The queue gives a job back when its worker is gone. The library tells nobody when the database dies while it takes down
how a job ended: the job would be `doing` for ever. Nor does it when one heartbeat fails: it would never beat again, and
the jobs of a living worker would be given back and done twice at once.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from procrastinate.connector import BaseConnector
from procrastinate.jobs import Job
from procrastinate.manager import JobManager
from psycopg.errors import RaiseException

log = structlog.get_logger("jobs")


def is_not_in_hand(failure: Exception) -> bool:
    """Whether this is the library's own word that no such job is in hand: somebody else has seen to it meanwhile."""
    return isinstance(failure.__cause__, RaiseException)


class EndingLost(Exception):
    """Nobody knows whether the database took down how a job ended: it is given back, and perhaps done again."""


class Register(JobManager):
    """The library's register, whose worker outlives a heartbeat that failed, and stops when an end is lost."""

    _lost: Exception | None = None

    def __init__(self, connector: BaseConnector, stop: Callable[[], None]) -> None:
        """`stop` asks the worker whose register it is to end."""
        super().__init__(connector)
        self._stop = stop

    async def update_heartbeat(self, worker_id: int) -> None:
        """The worker is alive. It counts as gone after three beats: one that failed is made good by the next."""
        try:
            await super().update_heartbeat(worker_id)
        except Exception:  # whatever it was, the library would never beat again
            log.exception("heartbeat_missed")

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        """The next job. A worker that could not ask for it ends, and says so before it waits for the jobs in hand."""
        try:
            return await super().fetch_job(queues, worker_id)
        except Exception:
            self._stop()
            raise

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
            if not is_not_in_hand(failure):
                log.exception("job_ending_lost", job=job.task_name)
                self._lost = failure
                self._stop()
            raise
