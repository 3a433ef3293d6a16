"""One PostgreSQL cluster in a folder of ours, on a loopback port, run by the wheel's own programs."""

import os
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from launcher import processes
from launcher.failure import CannotStart, with_log
from launcher.place import Place
from launcher.ports import HOST, holder, is_taken
from launcher.secret_files import remembered_secret

SUPERUSER = "parking"
REAPED_SECONDS = 5
"""How long a killed postmaster may wait for its parent to notice; some containers never do."""
ENDED_SECONDS = 20

INITDB = (
    f"-U {SUPERUSER} --auth=scram-sha-256 -E UTF8 --locale-provider=builtin --builtin-locale=C.UTF-8 --locale=C "
    "--data-checksums"
).split()


@dataclass(frozen=True)
class Postmaster:
    """What `postmaster.pid` says: line 1 the process, line 4 the port."""

    pid: int
    port: int


@dataclass(frozen=True)
class Postgres:
    """The cluster in `place`; `up` and `down` are called under the place's lock."""

    place: Place
    port: int
    options: Sequence[str] = ()

    @property
    def folder(self) -> Path:
        return self.place.base / "pg"

    @property
    def log(self) -> Path:
        return self.place.base / "pg.log"

    @property
    def pid_file(self) -> Path:
        return self.folder / "postmaster.pid"

    @property
    def admin_url(self) -> str:
        """The superuser's address; the password was made with the cluster."""
        password = remembered_secret(self._password_file())
        return f"postgresql://{SUPERUSER}:{password}@{HOST}:{self.port}/postgres"

    def up(self) -> None:
        """Bring the cluster up; a running one stays as it is. Raises `CannotStart`."""
        if not (self.folder / "PG_VERSION").is_file():
            self._initialise()
        running = self.postmaster()
        if running is None:
            self._bury_the_dead()
            self._start()
        elif running.port != self.port:
            raise CannotStart(
                f"PostgreSQL of {self.place.base} already runs on port {running.port}, not {self.port}: "
                "stop it first (python -m launcher down), or ask for that port."
            )
        try:
            self._recognise()
        except CannotStart:
            if running is None or self.postmaster():
                raise
            self.up()  # it was dying when we found it

    def down(self, *, at_once: bool = False) -> bool:
        """Stop the cluster and whatever outlived it; returns whether anything ran.

        `at_once` leaves in memory what is there: the next start, if there is one, reads it in the log.
        """
        if self.postmaster() is None:
            return bool(self._end_survivors())
        mode = "immediate" if at_once else "fast"
        stopped = self._run("pg_ctl", "stop", "-D", self.folder, "-m", mode, "-w")
        if stopped.returncode and self.postmaster():
            raise with_log("PostgreSQL would not stop.", stopped.stderr, self.log)
        return True

    def is_running(self) -> bool:
        return self.postmaster() is not None

    def postmaster(self) -> Postmaster | None:
        """The running server of this folder; a zombie or a stranger with its old number is none."""
        written = self._written()
        if written and any(process.pid == written.pid for process in processes.living_in(self.folder)):
            return written
        return None

    def _initialise(self) -> None:
        """Made under another name and renamed when whole, so that a killed start leaves no half cluster."""
        for half in self.place.base.glob("pg.half-*"):
            processes.end(processes.naming(half) + processes.living_in(half), ENDED_SECONDS)
            shutil.rmtree(half, ignore_errors=True)
        half = self.place.base / f"pg.half-{secrets.token_hex(4)}"
        half.mkdir()
        self.place.account.own(half, 0o700)
        made = self._run("initdb", "-D", half, f"--pwfile={self._password_file()}", *INITDB)
        if made.returncode:
            shutil.rmtree(half, ignore_errors=True)
            raise with_log("PostgreSQL could not create its cluster.", made.stderr, self.log)
        half.rename(self.folder)

    def _password_file(self) -> Path:
        path = self.place.base / "pg.pass"
        remembered_secret(path)
        self.place.account.own(path, 0o600)
        return path

    def _bury_the_dead(self) -> None:
        """After kill -9: wait for the zombie, end its backends, and only then forget its number."""
        written = self._written()
        if written is None:
            return
        processes.await_that(lambda: not processes.is_zombie(written.pid), REAPED_SECONDS)
        self._end_survivors()
        self.pid_file.unlink(missing_ok=True)

    def _end_survivors(self) -> list[int]:
        """Two servers on one cluster corrupt it: no backend may live when the next one starts."""
        survivors = processes.living_in(self.folder)
        stubborn = processes.end(survivors, ENDED_SECONDS)
        if stubborn:
            raise CannotStart(
                f"PostgreSQL processes {', '.join(str(each.pid) for each in stubborn)} of {self.folder} do not end."
            )
        return [each.pid for each in survivors]

    def _start(self) -> None:
        if is_taken(self.port):
            raise CannotStart(f"Port {self.port} for PostgreSQL is taken by {holder(self.port)}.")
        os.close(os.open(self.log, os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW, 0o600))
        self.place.account.own(self.log, 0o600)
        settings = [
            f"listen_addresses={HOST}", "unix_socket_directories=''", "shared_buffers=256MB", "timezone=UTC",
            *self.options,
        ]  # fmt: skip
        spoken = " ".join([f"-p {self.port}", *(f"-c {setting}" for setting in settings)])
        started = self._run("pg_ctl", "start", "-D", self.folder, "-l", self.log, "-w", "-t", "60", "-o", spoken)
        if started.returncode:
            raise with_log("PostgreSQL would not start.", started.stderr, self.log)

    def _recognise(self) -> None:
        """That something answers is not enough: it must know our password and serve our folder."""
        try:
            with psycopg.connect(self.admin_url, connect_timeout=10) as connection:
                row = connection.execute("SHOW data_directory").fetchone()
        except psycopg.OperationalError as refused:
            raise with_log(f"PostgreSQL on port {self.port} does not let us in.", str(refused), self.log) from None
        if row is None or Path(row[0]) != self.folder:
            raise CannotStart(f"Port {self.port} is served by another cluster: {row and row[0]}.")

    def _written(self) -> Postmaster | None:
        try:
            lines = self.pid_file.read_text().splitlines()
        except FileNotFoundError:
            return None
        numbers = [int(line) if line.strip().isdigit() else 0 for line in (*lines, "", "", "", "")]
        return Postmaster(numbers[0], numbers[3])

    def _run(self, program: str, *words: str | Path) -> "processes.Finished":
        return self.place.account.run([self.place.postgres_programs / program, *words])
