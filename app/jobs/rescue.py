"""Jobs whose worker died: they go back to the queue, but for one that has taken too many workers along."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import structlog
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager

from app.jobs.register import is_not_in_hand
from app.jobs.worker import ATTEMPTS, queue_of
from app.wiring import wiring

STALLED_SECONDS: Final = 30.0
LONGEST_SECONDS: Final = 60.0
"""A queue that does not answer must not keep the other sweepers waiting."""

log = structlog.get_logger("jobs")


def rescue_stalled_jobs() -> int:
    """Give jobs back to the queue whose worker died, or give them up; returns how many those were."""
    return asyncio.run(_rescue())


async def _rescue() -> int:
    async with asyncio.timeout(LONGEST_SECONDS), queue_of(wiring().settings).open_async() as queue:
        stalled = list(await queue.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS))
        for job in stalled:
            await _give_back(queue.job_manager, job)
        await queue.job_manager.prune_stalled_workers(seconds_since_heartbeat=STALLED_SECONDS)
        return len(stalled)


async def _give_back(jobs: JobManager, job: Job) -> None:
    """Unless it was tried as often as a job that fails: it may be what its workers died of."""
    with _unless_another_did():
        if job.attempts < ATTEMPTS:
            await jobs.retry_job(job)
        else:
            log.error("job_given_up", job=job.task_name, job_id=job.id)
            await jobs.finish_job(job, Status.FAILED, delete_job=False)


@contextmanager
def _unless_another_did() -> Iterator[None]:
    """Of two sweepers one gives a job back."""
    try:
        yield
    except ConnectorException as failure:
        if not is_not_in_hand(failure):
            raise
