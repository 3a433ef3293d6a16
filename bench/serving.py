"""Web servers under measurement, each a gunicorn of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from launcher.failure import CannotStart
from launcher.ports import free_ports, is_taken
from launcher.processes import await_that
from launcher.venv import ROOT

READY_SECONDS = 30
ENDED_SECONDS = 30
PLATFORM = "wsgi:app"
BARE = "bench.bare:app"
GEVENT = "launcher/gunicorn_conf.py"
GTHREAD = "bench/gthread_conf.py"


@dataclass(frozen=True)
class Server:
    """A running gunicorn and the port it answers on."""

    port: int
    process: subprocess.Popen[bytes]


@contextmanager
def serving(app: str, configuration: str, environment: Mapping[str, str]) -> Iterator[Server]:
    """Serve `app` as `configuration` says, without restarts of workers, and end at once. Raises `CannotStart`."""
    port = free_ports(1)[0]
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--config", configuration, "--max-requests", "0", app],
        cwd=ROOT, env={**environment, "PORT": str(port)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        if not await_that(lambda: is_taken(port) or process.poll() is not None, READY_SECONDS) or process.poll():
            raise CannotStart(f"gunicorn does not serve {app}.")
        yield Server(port, process)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(ENDED_SECONDS)
