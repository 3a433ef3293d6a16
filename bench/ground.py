"""What is measured stands on servers, schema and settings in a folder of their own, gone afterwards.

What several begin with is made once a run, and copied for each of them.
"""

import atexit
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final

import psycopg

from launcher.backing import DATABASE, embedded
from launcher.environment import Ports, development_environment
from launcher.place import place_for
from launcher.ports import free_ports
from launcher.schema import migrate
from launcher.servers import Servers

MOMENT: Final = datetime(2026, 6, 10, 12, tzinfo=UTC)
"""A Wednesday at 20:00 in Hangzhou: offices are closed, lots are open. Every run takes place then."""
BEFORE: Final = timedelta(minutes=10)
"""So long before it is what all begin with made."""
HASTY: Final = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")
KEYS: Final = ("development.env", "wechat", "city", "mail")


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


Begin = Callable[[Ground], None]
"""What is done on a blank ground; kept by its name, so a function of a module."""


@contextmanager
def ground(begin: Begin | None = None) -> Iterator[Ground]:
    """Start everything, with what `begin` does beforehand, once a run; on leaving, stop it and remove the folder."""
    folder = _folder()
    try:
        with _running(folder, MOMENT, _begun(begin) if begin else _blank()) as stand:
            yield stand
    finally:
        _remove(folder)


@contextmanager
def _running(folder: Path, moment: datetime, like: Ground | None, options: Sequence[str] = ()) -> Iterator[Ground]:
    """Servers that begin with what those of another ground kept, and with its keys."""
    ports = Ports(*free_ports(10))
    servers = Servers.at(folder / "servers", ports.postgres, ports.valkey, postgres_options=options)
    try:
        if like:
            subprocess.run(["cp", "-a", f"{like.servers.place.base}/.", servers.place.base], check=True)
            subprocess.run(["cp", "-a", *(like.folder / name for name in KEYS), folder], check=True)
        servers.up()
        yield Ground(folder, servers, _environment(folder, ports, servers, moment))
    finally:
        servers.down(at_once=True)


@cache
def _blank() -> Ground:
    """With all migrations."""
    return _kept(None, lambda stand: migrate(stand.environment["MIGRATION_DATABASE_URL"]))


@cache
def _begun(begin: Begin) -> Ground:
    """A blank one on which this was done."""
    return _kept(_blank(), begin)


def _kept(like: Ground | None, begin: Begin) -> Ground:
    """Servers that are stopped, to be copied: nothing is measured there, so nothing need be on the disk."""
    folder = _folder()
    atexit.register(_remove, folder)
    with _running(folder, MOMENT - BEFORE, like, HASTY) as stand:
        begin(stand)
        stand.servers.down()
        return stand


def _remove(folder: Path) -> None:
    shutil.rmtree(place_for(folder / "servers").base, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="gongbo-bench-"))
    folder.chmod(0o711)  # root lends the servers to an account that must pass
    return folder


def _environment(folder: Path, ports: Ports, servers: Servers, moment: datetime) -> Mapping[str, str]:
    addresses = embedded(servers)
    development = development_environment(folder, ports, addresses)
    (folder / "clock").write_text(str((moment - datetime.now(UTC)).total_seconds()))
    return {**os.environ, **development, **addresses, "CLOCK_FILE": str(folder / "clock"), "WEB_WORKERS": "1"}
