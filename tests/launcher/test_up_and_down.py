"""Servers come up once, for whoever asks, and go down when told."""

from pathlib import Path

import pytest

from launcher.failure import CannotStart
from launcher.ports import free_ports
from launcher.servers import Servers
from tests.launcher.stand import Pair, launch


def test_up_twice_is_up_once(running: Pair) -> None:
    before = running.postmaster, running.valkey
    assert running.servers.up() == []
    assert (running.postmaster, running.valkey) == before


def test_down_twice_is_down_once_and_nothing_is_left(running: Pair) -> None:
    assert running.servers.down()
    assert not running.servers.down()
    assert running.everyone() == []


def test_what_was_written_is_there_after_down_and_up(running: Pair) -> None:
    running.servers.down()
    running.servers.up()
    assert running.has_kept()


def test_stopped_at_once_they_leave_nothing_running_and_what_was_committed_is_there_afterwards(running: Pair) -> None:
    assert running.servers.down(at_once=True)
    assert running.everyone() == []
    running.servers.up()
    assert running.has_kept()


@pytest.mark.parametrize("times", ["first", "second"])
def test_two_starts_at_once_both_succeed_and_agree(pair: Pair, times: str, request: pytest.FixtureRequest) -> None:
    if times == "second":
        request.getfixturevalue("stopped")
    starts = [launch("up", *pair.options) for _ in range(2)]
    said = [start.communicate(timeout=40) for start in starts]
    assert [start.returncode for start in starts] == [0, 0], said
    assert said[0] == said[1]
    assert {line.split("=")[0] for line in said[0][0].splitlines()} == {
        "DATABASE_URL", "MIGRATION_DATABASE_URL", "REDIS_URL",
    }  # fmt: skip


def test_a_port_that_another_cluster_holds_is_refused_and_nothing_is_left_running(running: Pair, other: Path) -> None:
    beside = Servers.at(other, running.servers.postgres.port, free_ports(1)[0])
    with pytest.raises(CannotStart, match=f"Port {beside.postgres.port} for PostgreSQL is taken by"):
        beside.up()
    assert Pair(beside).everyone() == []


def test_when_the_second_server_cannot_start_the_first_does_not_stay(running: Pair, other: Path) -> None:
    beside = Servers.at(other, free_ports(1)[0], running.servers.valkey.port)
    with pytest.raises(CannotStart, match="for Valkey is taken by"):
        beside.up()
    assert Pair(beside).everyone() == []


def test_another_port_for_running_servers_is_refused_in_a_sentence_that_names_theirs(running: Pair) -> None:
    elsewhere = Servers.at(running.servers.place.base, *free_ports(2))
    with pytest.raises(CannotStart, match=f"already runs on port {running.servers.postgres.port}"):
        elsewhere.up()
    assert running.has_kept()


def test_status_tells_without_starting_anything(pair: Pair) -> None:
    assert pair.servers.status() == {"PostgreSQL": "stopped", "Valkey": "stopped"}
    assert pair.everyone() == []
