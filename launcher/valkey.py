"""One Valkey server in a folder of ours, on a loopback port. There is no cli in the wheel: we speak its protocol."""

from dataclasses import dataclass
from pathlib import Path

import redis

from launcher import processes
from launcher.failure import CannotStart, with_log
from launcher.place import Place
from launcher.ports import HOST, holder, is_taken
from launcher.secret_files import remembered_secret, write_secret

READY_SECONDS = 20
DATABASES = 64


@dataclass(frozen=True)
class Valkey:
    """The server in `place`; `up` and `down` are called under the place's lock."""

    place: Place
    port: int

    @property
    def folder(self) -> Path:
        return self.place.base / "valkey"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def configuration(self) -> Path:
        return self.place.base / "valkey.conf"

    @property
    def url(self) -> str:
        return f"redis://:{self._password()}@{HOST}:{self.port}/0"

    def up(self) -> None:
        """Bring the server up; a running one stays as it is. Raises `CannotStart`."""
        if self.is_running():
            self._insist_on_our_port()
        else:
            self._start()
        if not processes.await_that(self.answers, READY_SECONDS):
            raise with_log(f"Valkey does not answer on port {self.port}.", "", self.log)

    def down(self) -> bool:
        """Stop the server with its data written; returns whether it ran."""
        running = processes.living_in(self.folder)
        if not running:
            return False
        if processes.end(running, READY_SECONDS):
            raise with_log("Valkey would not stop.", "", self.log)
        return True

    def is_running(self) -> bool:
        return bool(processes.living_in(self.folder))

    def answers(self) -> bool:
        """Whether the server on the port knows our password and serves our folder."""
        try:
            with redis.Redis.from_url(self.url, socket_timeout=5) as client:
                return bool(client.ping()) and client.config_get("dir") == {"dir": str(self.folder)}
        except redis.RedisError:
            return False

    def _insist_on_our_port(self) -> None:
        if f"port {self.port}\n" not in self.configuration.read_text():
            raise CannotStart(
                f"Valkey of {self.place.base} already runs on another port than {self.port}: "
                "stop it first (python -m launcher down), or ask for that port."
            )

    def _start(self) -> None:
        if is_taken(self.port):
            raise CannotStart(f"Port {self.port} for Valkey is taken by {holder(self.port)}.")
        self.folder.mkdir(exist_ok=True)
        self.place.account.own(self.folder, 0o700)
        write_secret(self.configuration, self._settings())
        self.place.account.own(self.configuration, 0o600)
        started = self.place.account.run([self.place.valkey_server, self.configuration])
        if started.returncode:
            raise with_log("Valkey would not start.", started.stderr + started.stdout, self.log)

    def _settings(self) -> str:
        """In a file, because a command line shows its password to everybody."""
        return (
            f"bind {HOST}\nport {self.port}\ndir {self.folder}\nrequirepass {self._password()}\n"
            f"databases {DATABASES}\nappendonly yes\ndaemonize yes\n"
            f"pidfile {self.folder / 'pid'}\nlogfile {self.log}\n"
        )

    def _password(self) -> str:
        path = self.place.base / "valkey.pass"
        password = remembered_secret(path)
        self.place.account.own(path, 0o600)
        return password
