"""Folders and servers of the launcher's own tests; none of them touches those of the other tests."""

import shutil
import socket
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


@pytest.fixture
def running(pair: Pair) -> Pair:
    """Both servers, started, with something to lose in each."""
    pair.servers.up()
    pair.write()
    return pair


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port on which somebody else listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield int(listening.getsockname()[1])
