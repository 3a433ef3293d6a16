"""What the queue's register could not take down is not passed over: a heartbeat, or how a job ended."""

import asyncio
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, LiteralString

import psycopg
import pytest
from flask import Flask
from psycopg.sql import SQL, Literal

from app.jobs.register import EndingLost
from app.jobs.sweepers import sweep_once
from app.jobs.worker import MortalWorker, queue_of, work
from app.kernel.db import transaction
from app.kernel.queue import enqueue
from app.wiring import wiring
from tests.jobs.test_queue import another, rescue, until, waiting, worker
from tests.world import driver, gate, open_lot, reservation_ready_to_cancel

FINISHING: LiteralString = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%procrastinate_finish_job%'
"""


def test_a_job_whose_ending_was_lost_with_the_database_is_given_back_and_done(
    app: Flask, evening: datetime, admin: psycopg.Connection[Any], environment: Mapping[str, str]
) -> None:
    lot = open_lot()
    gate(lot)
    reservation_ready_to_cancel(driver(), lot)
    admin.execute("DELETE FROM procrastinate_jobs WHERE task_name <> 'gates.refresh_whitelist'")
    with another(admin) as keeps_row:
        with another(admin) as keeps_list:
            keeps_list.execute("LOCK TABLE gate_list IN ACCESS EXCLUSIVE MODE")
            struck = worker(environment)
            until(lambda: waiting(admin) == [("gates.refresh_whitelist", "doing")])
            keeps_row.execute("SELECT FROM procrastinate_jobs FOR UPDATE")
        until(lambda: admin.execute(FINISHING).fetchall() == [(True,)])
    assert struck.wait(50) == 1
    assert waiting(admin) == [("gates.refresh_whitelist", "doing")]
    assert sweep_once(app, rescue()) == 1
    work(app, wiring().settings, until_empty=True)
    assert waiting(admin) == []


def test_an_ending_that_somebody_else_wrote_down_meanwhile_stops_no_worker(
    app: Flask, evening: datetime, admin: psycopg.Connection[Any], environment: Mapping[str, str]
) -> None:
    lot = open_lot()
    gate(lot)
    reservation_ready_to_cancel(driver(), lot)
    with another(admin) as blocker:
        blocker.execute("LOCK TABLE gate_list IN ACCESS EXCLUSIVE MODE")
        unmoved = worker(environment)
        until(lambda: ("gates.refresh_whitelist", "doing") in waiting(admin))
        admin.execute("DELETE FROM procrastinate_jobs WHERE task_name = 'gates.refresh_whitelist'")
    with transaction():
        enqueue("gates.wake", device_id=1)
    until(lambda: waiting(admin) == [])
    unmoved.terminate()
    assert unmoved.wait(20) == 0


@pytest.fixture
def refusing(admin: psycopg.Connection[Any], state: str) -> Iterator[None]:
    """A database that takes down no end of a job, for a reason of its own."""
    refuse = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE USING ERRCODE = {}; END$$"
    admin.execute(SQL(refuse).format(Literal(state)))
    admin.execute("CREATE TRIGGER refuse BEFORE DELETE ON procrastinate_jobs FOR EACH ROW EXECUTE FUNCTION refuse()")
    yield
    admin.execute("DROP FUNCTION refuse CASCADE")


@pytest.mark.parametrize("state", ["25006", "XX000"], ids=["read only", "internal"])
def test_an_ending_that_the_database_refused_for_whatever_reason_is_lost(
    app: Flask, admin: psycopg.Connection[Any], refusing: None
) -> None:
    with transaction():
        enqueue("gates.wake", device_id=1)
    with pytest.raises(EndingLost):
        work(app, wiring().settings, until_empty=True)
    assert waiting(admin) == [("gates.wake", "doing")]


BEATING: LiteralString = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%procrastinate_update_heartbeat%'
"""


def test_after_a_heartbeat_that_failed_the_next_one_comes(app: Flask, admin: psycopg.Connection[Any]) -> None:
    asyncio.run(_struck_and_beating(admin))


async def _struck_and_beating(admin: psycopg.Connection[Any]) -> None:
    beating = MortalWorker(queue_of(wiring().settings), until_empty=False)
    beating.update_heartbeat_interval = 0.02
    life = asyncio.create_task(beating.live())
    await asyncio.to_thread(until, lambda: bool(_beat(admin)))
    with another(admin) as keeper:
        keeper.execute("SELECT FROM procrastinate_workers FOR UPDATE")
        await asyncio.to_thread(until, lambda: admin.execute(BEATING).fetchall() == [(True,)])
    last = _beat(admin)
    await asyncio.to_thread(until, lambda: _beat(admin) > last)
    beating.stop()
    await life


def _beat(admin: psycopg.Connection[Any]) -> list[tuple[datetime]]:
    return admin.execute("SELECT last_heartbeat FROM procrastinate_workers").fetchall()
