"""Folders and servers of the launcher's own tests; none of them touches those of the other tests."""

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from launcher.ports import free_ports
from launcher.servers import Servers
from tests.launcher.stand import Pair


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that a lent account may pass through."""
    home = Path(tempfile.mkdtemp(prefix="gongbo-launcher-"))
    home.chmod(0o711)
    yield home / "servers"
    shutil.rmtree(home)


@pytest.fixture
def pair(folder: Path) -> Iterator[Pair]:
    """Both servers, stopped, with ports of their own."""
    servers = Servers.at(folder, *free_ports(2))
    yield Pair(servers)
    servers.down()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Path]:
    """The folder of a PostgreSQL that a first start made and that was stopped: nobody starts it again."""
    home = Path(tempfile.mkdtemp(prefix="gongbo-launcher-"))
    home.chmod(0o711)
    servers = Servers.at(home / "servers", *free_ports(2))
    servers.up(valkey=False)
    servers.down()
    yield servers.place.base
    shutil.rmtree(home)


@pytest.fixture
def stopped(pair: Pair, cluster: Path) -> Pair:
    """Both servers after a first start and a stop; what a first start makes is another test's matter."""
    return with_cluster(pair, cluster)


@pytest.fixture
def other(running: Pair, cluster: Path) -> Path:
    """Where a second PostgreSQL lies beside the running one, stopped."""
    base = running.servers.place.base.with_name("other")
    with_cluster(Pair(Servers.at(base)), cluster)
    return base


def with_cluster(pair: Pair, cluster: Path) -> Pair:
    """The pair with a copy of that cluster, owned as it was."""
    for name in ("pg", "pg.pass"):
        subprocess.run(["cp", "-a", cluster / name, pair.servers.place.base / name], check=True)
    return pair


@pytest.fixture
def running(stopped: Pair) -> Pair:
    """Both servers, started, with something to lose in each."""
    stopped.servers.up()
    stopped.write()
    return stopped


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port on which somebody else listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield int(listening.getsockname()[1])
