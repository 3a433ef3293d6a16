"""Jobs of workers that died are given back, but not for ever."""

from typing import Any

import psycopg
import pytest
from flask import Flask

from app.jobs.sweepers import sweep_once
from app.jobs.worker import ATTEMPTS
from app.kernel.db import transaction
from app.kernel.queue import enqueue
from tests.jobs.test_queue import metrics, rescue, waiting


def left_behind(admin: psycopg.Connection[Any], attempts: int) -> None:
    """A job in the hand of a worker that is gone, tried so often before."""
    with transaction():
        enqueue("gates.wake", device_id=1)
    admin.execute(
        "WITH gone AS (INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour')"
        " RETURNING id) UPDATE procrastinate_jobs SET status = 'doing', attempts = %s, worker_id = gone.id FROM gone",
        [attempts],
    )


@pytest.mark.parametrize(("attempts", "then", "failed"), [(ATTEMPTS - 1, "todo", 0), (ATTEMPTS, "failed", 1)])
def test_a_job_that_its_workers_die_of_is_given_up_in_the_end_and_counted(
    app: Flask, admin: psycopg.Connection[Any], attempts: int, then: str, failed: int
) -> None:
    left_behind(admin, attempts)
    assert sweep_once(app, rescue()) == 1
    assert waiting(admin) == [("gates.wake", then)]
    assert metrics(app)["gongbo_jobs_failed"] == failed
