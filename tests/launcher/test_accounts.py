"""Root lends the servers to an account that exists; everybody else runs them as themselves."""

import os
import pwd
import stat
from pathlib import Path

import psutil
import pytest

from launcher.account import serving_account
from launcher.failure import CannotStart
from launcher.place import OUTSIDE, place_for
from launcher.ports import free_ports
from launcher.servers import Servers
from tests.launcher.stand import ROOT, Pair, script

IS_ROOT = os.geteuid() == 0
only_root = pytest.mark.skipif(not IS_ROOT, reason="only root can become somebody else")


def test_both_servers_run_as_the_serving_account_and_never_as_root(running: Pair) -> None:
    account = serving_account()
    assert account.uid != 0
    for pid in (running.postmaster, running.valkey):
        process = psutil.Process(pid)
        assert set(process.uids()) == {account.uid}
        assert set(process.gids()) == {account.gid}


def test_passwords_are_readable_by_nobody_else_and_stand_on_no_command_line(running: Pair) -> None:
    base = running.servers.place.base
    for name in ("pg.pass", "pg.log", "valkey.pass", "valkey.conf"):
        assert stat.S_IMODE((base / name).stat().st_mode) == 0o600, name
    spoken = " ".join(word for process in running.everyone() for word in process.cmdline())
    assert (base / "pg.pass").read_text() not in spoken
    assert (base / "valkey.pass").read_text() not in spoken


def test_servers_listen_on_the_loopback_address_only(running: Pair) -> None:
    listening = [
        connection.laddr[0]
        for process in running.everyone()
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) == 2
    assert set(listening) == {"127.0.0.1"}


@only_root
def test_a_normal_user_starts_both_as_itself(folder: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    folder.mkdir()
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    done = script(_AS_SOMEBODY, str(folder), str(nobody.pw_uid), *map(str, free_ports(2)))
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["1"]


def test_below_a_private_folder_the_servers_start_all_the_same(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    servers = Servers.at(folder / "clone" / "var" / "servers", *free_ports(2))
    try:
        assert len(servers.up()) == 2
        assert servers.place.base.is_relative_to(OUTSIDE if IS_ROOT else folder)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    finally:
        servers.down()
        script("import shutil, sys; shutil.rmtree(sys.argv[1])", str(servers.place.base))
    assert not servers.place.base.exists()


@only_root
def test_a_folder_of_somebody_else_is_refused(folder: Path) -> None:
    folder.mkdir()
    os.chown(folder, 1, 1)
    with pytest.raises(CannotStart, match="belongs to somebody else"):
        place_for(folder)


def test_a_folder_that_cannot_be_made_is_refused_in_one_sentence(folder: Path) -> None:
    folder.write_text("a file stands in the way")
    with pytest.raises(CannotStart, match="cannot be used: File exists"):
        place_for(folder)


_AS_SOMEBODY = f"""
import os, sys
from pathlib import Path
sys.path.insert(0, {str(ROOT)!r})
from launcher.postgres import Postgres
from launcher.servers import Servers
from launcher import processes
import encodings.idna, psycopg, redis, psutil
redis.Redis.from_url("redis://127.0.0.1:1/0").close()
folder, uid, *ports = sys.argv[1:]
os.chdir("/")
os.setgroups([])
os.setgid(int(uid))
os.setuid(int(uid))
servers = Servers.at(Path(folder), *map(int, ports))
servers.up()
owners = {{process.uids().real for process in processes.living_in(servers.postgres.folder)}}
servers.down()
assert owners == {{int(uid)}}, owners
print(len(owners))
"""
