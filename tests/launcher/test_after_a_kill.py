"""Whatever was killed, the next `up` brings back, with everything that was committed."""

import threading

import psycopg
import pytest

from launcher import processes
from tests.launcher.stand import ROOT, Pair, kill, launch, script


@pytest.mark.parametrize("victims", ["postgres", "valkey", "both"])
def test_up_right_after_a_kill_brings_everything_back(running: Pair, victims: str) -> None:
    if victims in {"postgres", "both"}:
        kill(running.postmaster)
    if victims in {"valkey", "both"}:
        kill(running.valkey)
        assert processes.await_that(lambda: not running.servers.valkey.is_running(), 5)
    running.servers.up()
    assert running.has_kept()


def test_a_query_that_outlives_its_postmaster_is_ended_before_the_next_start(running: Pair) -> None:
    busy = psycopg.connect(running.servers.postgres.admin_url)
    question = threading.Thread(target=_ask, args=(busy,))
    question.start()
    assert processes.await_that(lambda: _is_asked(running), 5)
    kill(running.postmaster)
    running.servers.up()
    question.join(10)
    busy.close()
    assert not question.is_alive()
    assert running.has_kept()


def test_a_zombie_that_nobody_reaps_does_not_block_the_next_start(running: Pair) -> None:
    running.servers.down()
    done = script(_SUB_REAPER, *running.options)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "up again beside a zombie"


def test_a_launcher_killed_during_initdb_leaves_nothing_that_looks_finished(pair: Pair) -> None:
    first = launch("up", *pair.options)
    assert processes.await_that(lambda: any(pair.servers.place.base.glob("pg.half-*/PG_VERSION")), 20)
    first.kill()
    first.communicate()
    assert not (pair.servers.postgres.folder / "PG_VERSION").exists()
    pair.servers.up()
    pair.write()
    assert pair.has_kept()
    assert not list(pair.servers.place.base.glob("pg.half-*"))


def _ask(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT count(*) FROM generate_series(1, 100000000000)")


def _is_asked(running: Pair) -> bool:
    with psycopg.connect(running.servers.postgres.admin_url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%100000000000%'"
            " AND pid <> pg_backend_pid()"
        ).fetchone()
    return row == (1,)


_SUB_REAPER = f"""
import ctypes, os, signal, sys
from pathlib import Path
sys.path.insert(0, {str(ROOT)!r})
from launcher import processes
from launcher.servers import Servers
assert ctypes.CDLL(None, use_errno=True).prctl(36, 1, 0, 0, 0) == 0
_, folder, _, postgres_port, _, valkey_port = sys.argv[1:]
servers = Servers.at(Path(folder), int(postgres_port), int(valkey_port))
servers.up()
killed = servers.postgres.postmaster().pid
os.kill(killed, signal.SIGKILL)
servers.up()
assert processes.is_zombie(killed)
servers.down()
print("up again beside a zombie")
"""
