"""Jobs commit with the fact that made them necessary, and none is lost when a worker dies."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
from flask import Flask

from app.domain.tasks.actions import open_task
from app.jobs.sweepers import Sweeper, sweep_once, sweepers
from app.jobs.worker import work
from app.kernel.db import transaction
from app.kernel.queue import enqueue
from app.kernel.trace import request_id
from app.settings import Settings
from app.wiring import wiring
from launcher.processes import await_that
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
    with another(admin) as blocker:
        blocker.execute("LOCK TABLE gate_list IN ACCESS EXCLUSIVE MODE")
        victim = worker(environment)
        until(lambda: ("gates.refresh_whitelist", "doing") in waiting(admin))
        victim.kill()
        victim.wait()
    begun = [name for name, state in waiting(admin) if state == "doing"]
    admin.execute("UPDATE procrastinate_workers SET last_heartbeat = last_heartbeat - interval '1 hour'")
    assert sweep_once(app, rescue()) == len(begun)
    work(app, wiring().settings, until_empty=True)
    assert admin.execute("SELECT count(*) FROM whitelist_row").fetchall() == [(1,)]


def another(admin: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """Another connection like this one, which commits nothing by itself."""
    return psycopg.connect(admin.info.dsn, password=admin.info.password)


def rescue() -> Sweeper:
    return next(sweeper for sweeper in sweepers() if sweeper.name == "stalled_jobs")


@pytest.fixture
def wakings(admin: psycopg.Connection[Any]) -> Iterator[list[psycopg.Notify]]:
    """What a worker that waits would be told; looked at after a statement of the same connection."""
    told: list[psycopg.Notify] = []
    admin.add_notify_handler(told.append)
    admin.execute("LISTEN procrastinate_any_queue_v1")
    yield told
    admin.execute("UNLISTEN *")
    admin.remove_notify_handler(told.append)


def test_a_job_wakes_a_worker_unless_another_one_waits(
    database: Addresses, admin: psycopg.Connection[Any], wakings: list[psycopg.Notify]
) -> None:
    for _ in range(3):
        with transaction():
            enqueue("gates.wake", device_id=1)
    assert (len(waiting(admin)), len(wakings)) == (3, 1)


@pytest.mark.parametrize(
    "meanwhile",
    [
        "UPDATE procrastinate_jobs SET status = 'doing'",
        "UPDATE procrastinate_jobs SET scheduled_at = now() + interval '1 hour'",
    ],
)
def test_a_job_that_is_done_or_tried_again_later_lets_the_next_one_wake_a_worker(
    database: Addresses, admin: psycopg.Connection[Any], wakings: list[psycopg.Notify], meanwhile: LiteralString
) -> None:
    with transaction():
        enqueue("gates.wake", device_id=1)
    admin.execute(meanwhile)
    with transaction():
        enqueue("gates.wake", device_id=2)
    assert (len(waiting(admin)), len(wakings)) == (2, 2)


def worker(environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "app.jobs", "worker"]
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.DEVNULL)


def until(holds: Callable[[], bool]) -> None:
    assert await_that(holds, seconds=50)


def test_a_terminated_worker_ends_in_peace(environment: Mapping[str, str], database: Addresses) -> None:
    with transaction():
        enqueue("gates.wake", device_id=1)
    peaceful = worker(environment)
    with psycopg.connect(database.admin, autocommit=True) as look:
        until(lambda: waiting(look) == [])
    peaceful.terminate()
    assert peaceful.wait(20) == 0


@pytest.mark.parametrize("command", [["app.jobs", "sweepers"], ["flask", "--app", "wsgi", "sweepers"]])
def test_terminated_sweepers_end_in_peace(
    app: Flask, environment: Mapping[str, str], database: Addresses, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, command: list[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    began = time.time()
    peaceful = subprocess.Popen(
        [sys.executable, "-m", *command], cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.DEVNULL
    )
    until(lambda: metrics(app).get('gongbo_sweeps_total{outcome="done",sweeper="orders"}', 0) > 0)
    assert metrics(app)['gongbo_sweep_ended_timestamp_seconds{sweeper="orders"}'] > began
    peaceful.terminate()
    assert peaceful.wait(20) == 0


def test_flask_db_knows_the_schema(environment: Mapping[str, str]) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "db", "current"],
        cwd=ROOT, env={**os.environ, **environment}, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert "(head)" in told.stdout


def test_a_process_that_only_works_loads_no_door_and_no_alembic() -> None:
    look = "import sys, app.jobs.__main__; print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", look], cwd=ROOT, check=True, capture_output=True, text=True)
    loaded = {name.split(".")[0] for name in told.stdout.split()}
    assert not loaded & {"miniprogram_api", "flask_smorest", "marshmallow", "alembic", "flask_migrate"}


@pytest.mark.parametrize("name", [sweeper.name for sweeper in sweepers()])
def test_a_sweeper_finds_nothing_to_do_in_an_empty_city(app: Flask, database: Addresses, name: str) -> None:
    sweeper = next(each for each in sweepers() if each.name == name)
    assert sweeper.sweep() == 0


def test_a_broken_sweeper_does_not_stop_the_others(app: Flask, database: Addresses) -> None:
    broken, sound = sweepers()[0], sweepers()[1]
    broken.sweep = lambda: 1 // 0
    ends = ((broken.name, "failed"), (sound.name, "done"))
    names = [f'gongbo_sweeps_total{{outcome="{end}",sweeper="{name}"}}' for name, end in ends]
    before = metrics(app)
    assert sweep_once(app, broken) == 0
    assert sweep_once(app, sound) == 0
    after = metrics(app)
    assert [after[name] - before.get(name, 0) for name in names] == [1, 1]


def metrics(app: Flask) -> dict[str, float]:
    answer = app.test_client().get("/metrics")
    if answer.status_code != HTTPStatus.OK:  # another process was just making its file
        return {}
    lines = answer.get_data(as_text=True).splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}


def test_jobs_are_counted_while_they_wait_and_when_they_are_done(
    app: Flask, database: Addresses, admin: psycopg.Connection[Any]
) -> None:
    with transaction():
        enqueue("gates.wake", device_id=1)
    admin.execute("UPDATE procrastinate_events SET at = at - interval '5 minutes'")
    before = metrics(app)
    assert (before["gongbo_jobs_waiting"], before["gongbo_jobs_failed"]) == (1, 0)
    assert 300 <= before["gongbo_jobs_oldest_waiting_seconds"] < 400
    work(app, wiring().settings, until_empty=True)
    after, done = metrics(app), 'gongbo_jobs_total{job="gates.wake",outcome="done"}'
    assert (after["gongbo_jobs_waiting"], after["gongbo_jobs_oldest_waiting_seconds"]) == (0, 0)
    assert after[done] - before.get(done, 0) == 1


def test_a_job_that_failed_for_good_is_counted_until_somebody_looks(
    app: Flask, database: Addresses, admin: psycopg.Connection[Any]
) -> None:
    with transaction():
        enqueue("gates.wake", device_id=1)
    admin.execute("UPDATE procrastinate_jobs SET args = '{}', attempts = 8")
    before, failed = metrics(app), 'gongbo_jobs_total{job="gates.wake",outcome="failed"}'
    work(app, wiring().settings, until_empty=True)
    after = metrics(app)
    assert (after["gongbo_jobs_failed"], after["gongbo_jobs_waiting"]) == (1, 0)
    assert after[failed] - before.get(failed, 0) == 1


def test_the_last_heartbeat_of_any_worker_is_shown(
    app: Flask, database: Addresses, admin: psycopg.Connection[Any]
) -> None:
    assert metrics(app)["gongbo_worker_heartbeat_timestamp_seconds"] == 0
    for moment in ("2026-06-11 12:00:00+08", "2026-06-11 12:00:10+08"):
        admin.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (%s)", [moment])
    last = datetime.fromisoformat("2026-06-11T12:00:10+08:00").timestamp()
    assert metrics(app)["gongbo_worker_heartbeat_timestamp_seconds"] == last


def test_each_sweeper_shows_when_it_last_ended_however_it_did(app: Flask, database: Addresses) -> None:
    sound, broken = Sweeper("sound", 1.0, lambda: 0), Sweeper("broken", 1.0, lambda: 1 // 0)
    began = time.time()
    for sweeper in (sound, broken):
        sweep_once(app, sweeper)
        ended = metrics(app)[f'gongbo_sweep_ended_timestamp_seconds{{sweeper="{sweeper.name}"}}']
        assert began <= ended <= time.time()


def test_what_waits_for_a_person_is_counted(app: Flask, database: Addresses, admin: psycopg.Connection[Any]) -> None:
    with transaction():
        open_task("stay_without_bay", "stay", 1)
    admin.execute(
        "INSERT INTO exception_case (key, kind, reference, severity, state, detail, opened_at)"
        " VALUES (gen_random_uuid(), 'x', 'y', 1, 'open', '{}', now())"
    )
    shown = metrics(app)
    assert shown['gongbo_tasks_open{kind="stay_without_bay"}'] == 1
    assert shown['gongbo_exception_cases_open{severity="1"}'] == 1


def test_counters_of_other_processes_are_shown(
    app: Flask, environment: Mapping[str, str], database: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    with transaction():
        enqueue("gates.wake", device_id=1)
    other = worker(environment)
    until(lambda: metrics(app).get('gongbo_jobs_total{job="gates.wake",outcome="done"}') == 1)
    other.terminate()
    assert other.wait(20) == 0


def test_each_sweep_has_a_name_of_its_own_which_its_jobs_carry(app: Flask, database: Addresses) -> None:
    names: list[str] = []

    def note() -> int:
        names.append(request_id.get())
        return 0

    for sweeper in sweepers()[:2]:
        sweeper.sweep = note
        sweep_once(app, sweeper)
    assert len(set(names)) == 2
    assert all(name.startswith("sweep-") for name in names)


def test_settings_are_the_apps_own(app: Flask, environment: Mapping[str, str], database: Addresses) -> None:
    assert wiring().settings == Settings.from_environment(environment)
