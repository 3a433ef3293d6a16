"""Jobs commit with the fact that made them necessary, and none is lost when a worker dies."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask

from app.jobs.sweepers import sweep_once, sweepers
from app.jobs.worker import work
from app.kernel.db import transaction
from app.kernel.queue import enqueue
from app.settings import Settings
from app.wiring import wiring
from tests.ground import Addresses
from tests.world import driver, gate, open_lot, reservation_ready_to_cancel

ROOT = Path(__file__).resolve().parents[2]


def waiting(admin: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    return admin.execute("SELECT task_name, status::text FROM procrastinate_jobs ORDER BY id").fetchall()


def test_a_job_comes_with_its_fact(database: Addresses, admin: psycopg.Connection[Any]) -> None:
    with transaction():
        enqueue("gates.wake", device_id=1)
    assert waiting(admin) == [("gates.wake", "todo")]


def test_a_fact_that_did_not_happen_leaves_no_job(database: Addresses, admin: psycopg.Connection[Any]) -> None:
    with pytest.raises(ZeroDivisionError):
        enqueue_and_fail()
    assert waiting(admin) == []


def enqueue_and_fail() -> None:
    with transaction():
        enqueue("gates.wake", device_id=1)
        raise ZeroDivisionError


def test_the_worker_brings_the_gates_list_up_to_the_claims(
    app: Flask, evening: datetime, admin: psycopg.Connection[Any]
) -> None:
    lot = open_lot()
    device = gate(lot)
    reservation_ready_to_cancel(driver(), lot)
    work(app, wiring().settings, until_empty=True)
    rows = admin.execute("SELECT device_id FROM whitelist_row").fetchall()
    assert rows == [(device.id,)]
    assert "gates.refresh_whitelist" not in dict(waiting(admin))


def test_a_killed_workers_job_is_given_back_and_done(
    app: Flask, evening: datetime, admin: psycopg.Connection[Any], environment: Mapping[str, str]
) -> None:
    lot = open_lot()
    gate(lot)
    reservation_ready_to_cancel(driver(), lot)
    with psycopg.connect(admin.info.dsn, password=admin.info.password) as blocker:
        blocker.execute("LOCK TABLE gate_list IN ACCESS EXCLUSIVE MODE")
        victim = worker(environment)
        until(lambda: waiting(admin)[0][1] == "doing")
        victim.kill()
        victim.wait()
    admin.execute("UPDATE procrastinate_workers SET last_heartbeat = last_heartbeat - interval '1 hour'")
    rescue = next(sweeper for sweeper in sweepers() if sweeper.name == "stalled_jobs")
    assert sweep_once(app, rescue) == 1
    work(app, wiring().settings, until_empty=True)
    assert admin.execute("SELECT count(*) FROM whitelist_row").fetchall() == [(1,)]


def worker(environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "worker"]
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.DEVNULL)


def until(holds: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline


def test_a_terminated_worker_ends_in_peace(environment: Mapping[str, str], database: Addresses) -> None:
    with transaction():
        enqueue("gates.wake", device_id=1)
    peaceful = worker(environment)
    with psycopg.connect(database.admin, autocommit=True) as look:
        until(lambda: waiting(look) == [])
    peaceful.terminate()
    assert peaceful.wait(20) == 0


@pytest.mark.parametrize("name", [sweeper.name for sweeper in sweepers()])
def test_a_sweeper_finds_nothing_to_do_in_an_empty_city(app: Flask, database: Addresses, name: str) -> None:
    sweeper = next(each for each in sweepers() if each.name == name)
    assert sweeper.sweep() == 0


def test_a_broken_sweeper_does_not_stop_the_others(app: Flask, database: Addresses) -> None:
    broken, sound = sweepers()[0], sweepers()[1]
    broken.sweep = lambda: 1 // 0
    assert sweep_once(app, broken) == 0
    assert sweep_once(app, sound) == 0


def test_settings_are_the_apps_own(app: Flask, environment: Mapping[str, str], database: Addresses) -> None:
    assert wiring().settings == Settings.from_environment(environment)
