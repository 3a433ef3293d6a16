"""What one run stands on: servers, schema and settings in a folder of their own, gone afterwards."""

import atexit
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

import psycopg

from launcher.backing import DATABASE, embedded
from launcher.environment import Ports, development_environment
from launcher.ports import free_ports
from launcher.schema import migrate
from launcher.servers import Servers

MOMENT: Final = datetime(2026, 6, 10, 12, tzinfo=UTC)
"""A Wednesday at 20:00 in Hangzhou: offices are closed, lots are open. Every run takes place then."""


@dataclass(frozen=True)
class Ground:
    """The servers, durable as in production, and what a process of the platform must be told to use them."""

    folder: Path
    servers: Servers
    environment: Mapping[str, str]

    @property
    def pgbench(self) -> Path:
        return self.servers.place.postgres_programs / "pgbench"

    def vacuum(self) -> None:
        """As autovacuum does within a minute, and then not while something is measured.

        Plans that were made while a table was empty read it from end to end.
        """
        with psycopg.connect(self.servers.postgres.admin_url, dbname=DATABASE, autocommit=True) as superuser:
            superuser.execute("VACUUM ANALYZE")


@contextmanager
def ground() -> Iterator[Ground]:
    """Start everything; on leaving, stop it and remove the folder."""
    folder = _folder()
    ports = Ports(*free_ports(10))
    servers = Servers.at(folder / "servers", ports.postgres, ports.valkey)
    try:
        subprocess.run(["cp", "-a", f"{_blank()}/.", servers.place.base], check=True)
        servers.up()
        yield Ground(folder, servers, _environment(folder, ports, servers))
    finally:
        servers.down()
        shutil.rmtree(servers.place.base, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


@cache
def _blank() -> Path:
    """What servers keep that were stopped after the last migration: made once, and copied for each ground of a run."""
    folder = _folder()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    servers = Servers.at(folder / "servers", *free_ports(2))
    atexit.register(shutil.rmtree, servers.place.base, ignore_errors=True)
    try:
        servers.up(valkey=False)
        migrate(embedded(servers)["MIGRATION_DATABASE_URL"])
    finally:
        servers.down()
    return servers.place.base


def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="gongbo-bench-"))
    folder.chmod(0o711)  # root lends the servers to an account that must pass
    return folder


def _environment(folder: Path, ports: Ports, servers: Servers) -> Mapping[str, str]:
    addresses = embedded(servers)
    development = development_environment(folder, ports, addresses)
    (folder / "clock").write_text(str((MOMENT - datetime.now(UTC)).total_seconds()))
    return {**os.environ, **development, **addresses, "CLOCK_FILE": str(folder / "clock"), "WEB_WORKERS": "1"}
