"""A pair of embedded servers as these tests look at it."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
from redis import Redis

from launcher import processes
from launcher.servers import Servers

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Pair:
    """Both servers and what was written into them."""

    servers: Servers

    @property
    def options(self) -> list[str]:
        """How the command line is told of this folder and these ports."""
        ports = ["--pg-port", str(self.servers.postgres.port), "--valkey-port", str(self.servers.valkey.port)]
        return ["--data", str(self.servers.place.base), *ports]

    @property
    def postmaster(self) -> int:
        running = self.servers.postgres.postmaster()
        assert running
        return running.pid

    @property
    def valkey(self) -> int:
        (only,) = processes.living_in(self.servers.valkey.folder)
        return only.pid

    def everyone(self) -> list[psutil.Process]:
        return processes.living_in(self.servers.postgres.folder) + processes.living_in(self.servers.valkey.folder)

    def write(self) -> None:
        with psycopg.connect(self.servers.postgres.admin_url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        with Redis.from_url(self.servers.valkey.url) as store:
            store.set("kept", "7")

    def has_kept(self) -> bool:
        with psycopg.connect(self.servers.postgres.admin_url) as connection:
            rows = connection.execute("SELECT number FROM kept").fetchall()
        with Redis.from_url(self.servers.valkey.url) as store:
            return rows == [(7,)] and store.get("kept") == b"7"


def launch(*words: str) -> subprocess.Popen[str]:
    """The launcher in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "launcher", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def script(text: str, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """A short program on the launcher, run to its end."""
    return subprocess.run(
        [sys.executable, "-c", text, *words],
        cwd=ROOT,
        env=os.environ | environ,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


def kill(pid: int) -> None:
    """As the kernel does when memory runs out."""
    os.kill(pid, signal.SIGKILL)
