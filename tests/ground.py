"""What a run of the tests stands on: one PostgreSQL and one Valkey of its own, a migrated template, a copy a worker.

Nothing is started before the first test asks. With DATABASE_URL and REDIS_URL set, those servers are used instead;
the role in DATABASE_URL must then be a superuser.
"""

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from launcher.ports import free_ports
from launcher.roles import plain, provision
from launcher.schema import migrate
from launcher.servers import Servers

FAST = (
    *("fsync=off", "full_page_writes=off", "synchronous_commit=off", "wal_level=minimal", "max_wal_senders=0"),
    *("max_wal_size=512MB", "max_connections=200", "jit=off"),
)
PREFIX = "gongbo_test"
MEMORY = Path("/dev/shm")  # noqa: S108 - each run makes a folder of its own there, under a name that nobody knows
ROOM = 2 * 1024**3
"""A run leaves half of it on the way."""


def in_memory() -> Path | None:
    """Where files lie in memory, if there is room for those of a run: no move of the clock waits for a disk there."""
    return MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM else None


Run = Callable[..., int]
"""Runs one statement, with its values; returns how many rows it touched."""


@dataclass(frozen=True)
class Addresses:
    """One worker's own database under three roles, and its own Redis database."""

    admin: str
    migration: str
    app: str
    redis: str


@dataclass(frozen=True)
class Ground:
    """The folder that all workers of one run share; the process that made it also removes it."""

    folder: Path

    @classmethod
    def new(cls) -> "Ground":
        folder = Path(tempfile.mkdtemp(prefix="gongbo-test-"))
        folder.chmod(0o711)  # root lends the servers to an account that must pass
        return cls(folder)

    @property
    def name(self) -> str:
        """The template's name; databases of this run begin so."""
        return self.folder.name.replace("-", "_").lower()

    def addresses(self, worker: str) -> Addresses:
        """A fresh copy of the template for this worker, servers started and migrated if it is the first."""
        with self._alone():
            made = self._template()
            database = f"{self.name}_{worker}"
            _clone(made["admin"], self.name, database)
        number = int(worker.removeprefix("gw")) if worker.startswith("gw") else 0
        return Addresses(
            admin=_other_database(made["admin"], database),
            migration=_other_database(made["migration"], database),
            app=_other_database(made["app"], database),
            redis=f"{made['redis'].rsplit('/', 1)[0]}/{number % 15 + 1}",
        )

    def seeded(self) -> Sequence[str]:
        """Tables that migrations fill; tests leave them as they are."""
        return tuple(json.loads((self.folder / "seeded.json").read_text()))

    def remove(self) -> None:
        """Stop what was started and leave nothing, on an outside server neither."""
        made = self.folder / "made.json"
        if made.is_file():
            _drop_all(json.loads(made.read_text())["admin"], self.name)
        if (self.folder / "servers").is_dir():
            Servers.at(self.folder / "servers").down()
        shutil.rmtree(self.folder)

    def _template(self) -> Mapping[str, str]:
        path = self.folder / "made.json"
        if not path.is_file():
            admin, redis_url = self._servers()
            made = provision(admin, self.name, self.folder, PREFIX)
            migrate(made.migration_url)
            (self.folder / "seeded.json").write_text(json.dumps(_filled(_other_database(admin, self.name))))
            path.write_text(
                json.dumps({"admin": admin, "migration": made.migration_url, "app": made.app_url, "redis": redis_url})
            )
        known: Mapping[str, str] = json.loads(path.read_text())
        return known

    def _servers(self) -> tuple[str, str]:
        admin, redis_url = os.environ.get("DATABASE_URL"), os.environ.get("REDIS_URL")
        if not (admin and redis_url):
            postgres_port, valkey_port = free_ports(2)
            own = Servers.at(self.folder / "servers", postgres_port, valkey_port, postgres_options=FAST)
            own.up(postgres=not admin, valkey=not redis_url)
            admin, redis_url = admin or own.postgres.admin_url, redis_url or own.valkey.url
        return plain(admin), redis_url

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def caretaker(url: str, seeded: Sequence[str]) -> psycopg.Connection[tuple[object, ...]]:
    """A superuser whom no trigger and no foreign key hinders, ever: PostgreSQL forgets all plans when that changes."""
    connection = psycopg.connect(url, autocommit=True, options="-c session_replication_role=replica")
    tables = connection.execute(_TABLES, [list(seeded)]).fetchall()
    deletions = sql.SQL(" ").join(sql.SQL("DELETE FROM {};").format(sql.Identifier(str(name))) for (name,) in tables)
    connection.execute(sql.SQL(_EMPTY).format(deletions=deletions))
    return connection


def empty(by: psycopg.Connection[tuple[object, ...]]) -> None:
    """Let a `caretaker` delete every row that no migration put there."""
    by.execute("SELECT pg_temp.empty_city()")


_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> ALL(%s) ORDER BY tablename"

_EMPTY = "CREATE FUNCTION pg_temp.empty_city() RETURNS void LANGUAGE plpgsql AS $$ BEGIN {deletions} END $$"
"""One function, whose plans are kept: two hundred tables are emptied in some milliseconds."""


def _clone(admin_url: str, template: str, database: str) -> None:
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
                sql.Identifier(database), sql.Identifier(template), sql.Identifier(f"{PREFIX}_owner")
            )
        )


def _drop_all(admin_url: str, prefix: str) -> None:
    with psycopg.connect(admin_url, autocommit=True) as connection:
        for (name,) in connection.execute("SELECT datname FROM pg_database").fetchall():
            if name == prefix or name.startswith(f"{prefix}_"):
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _filled(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        question = sql.SQL("SELECT EXISTS (SELECT FROM {})")
        filled = []
        for (name,) in tables:
            row = connection.execute(question.format(sql.Identifier(name))).fetchone()
            if row and row[0]:
                filled.append(name)
    return filled


def _other_database(url: str, database: str) -> str:
    address, _, options = url.partition("?")
    return f"{address.rsplit('/', 1)[0]}/{database}" + (f"?{options}" if options else "")
