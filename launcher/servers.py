"""Both embedded servers together: up, down and status, one caller at a time."""

import fcntl
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from launcher.place import Place, place_for
from launcher.postgres import Postgres
from launcher.valkey import Valkey

POSTGRES_PORT = 54329
VALKEY_PORT = 63799


@dataclass(frozen=True)
class Servers:
    """The pair that keeps its data in one folder."""

    place: Place
    postgres: Postgres
    valkey: Valkey

    @classmethod
    def at(
        cls,
        folder: Path,
        postgres_port: int = POSTGRES_PORT,
        valkey_port: int = VALKEY_PORT,
        *,
        postgres_options: Sequence[str] = (),
    ) -> "Servers":
        """The servers of a folder, which is made when absent. Raises `CannotStart`."""
        place = place_for(folder)
        return cls(place, Postgres(place, postgres_port, postgres_options), Valkey(place, valkey_port))

    def up(self, *, postgres: bool = True, valkey: bool = True) -> "list[Postgres | Valkey]":
        """Bring the wanted ones up; returns those that this call started. When one refuses, none of those stays."""
        wanted: list[Postgres | Valkey] = [self.postgres] * postgres + [self.valkey] * valkey
        with self._alone():
            idle = [server for server in wanted if not server.is_running()]
            try:
                for server in wanted:
                    server.up()
            except BaseException:
                _stop(idle)
                raise
            return idle

    def stop(self, started: "Sequence[Postgres | Valkey]") -> None:
        """Stop what `up` started, and nobody else's."""
        with self._alone():
            _stop(started)

    def down(self, *, at_once: bool = False) -> bool:
        """Stop both; returns whether any of them ran. `at_once` for those whose folder is removed next."""
        with self._alone():
            return any([self.valkey.down(), self.postgres.down(at_once=at_once)])

    def status(self) -> Mapping[str, str]:
        """What runs, without touching it."""
        running = self.postgres.postmaster()
        return {
            "PostgreSQL": f"running on port {running.port}" if running else "stopped",
            "Valkey": "running" if self.valkey.is_running() else "stopped",
        }

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Two first starts at once would each wipe the other's cluster. The daemons do not inherit the lock."""
        lock = os.open(self.place.base / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _stop(servers: "Sequence[Postgres | Valkey]") -> None:
    for server in reversed(servers):
        server.down()
