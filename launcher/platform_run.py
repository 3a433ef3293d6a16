"""`make run`: servers, schema, a sample city, and every process of the platform, ended together."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from types import FrameType
from urllib.request import urlopen

import psycopg

from launcher.backing import backing
from launcher.environment import Ports, development_environment
from launcher.failure import CannotStart
from launcher.ports import holder, is_taken
from launcher.process_set import run_processes
from launcher.roles import plain
from launcher.schema import migrate
from launcher.venv import ROOT

CITY_MARK = "sample-city"
LOOK_SECONDS = 0.1


def run_platform(var: Path, *, bare: bool = False) -> None:
    """Start everything and stay until Ctrl-C or SIGTERM. Raises `CannotStart`, with nothing left running.

    A `bare` city has lots, but nobody ever parked in them.
    """
    signal.signal(signal.SIGTERM, _stop)
    ports = Ports.from_environment(os.environ)
    _insist_on_free(ports)
    _make(var)
    with backing(var, ports, os.environ) as addresses:
        migrate(addresses["MIGRATION_DATABASE_URL"])
        environment = child_environment(development_environment(var, ports, addresses))
        _empty(Path(environment["PROMETHEUS_MULTIPROC_DIR"]))
        load_sample_city(var, addresses["MIGRATION_DATABASE_URL"], environment, ["--bare"] if bare else [])
        threading.Thread(target=_tell_when_ready, args=(ports, var), daemon=True).start()
        run_processes(environment)


def child_environment(development: Mapping[str, str]) -> dict[str, str]:
    """Ours with the development's names; `python` and `flask` are those of this environment."""
    programs = str(Path(sys.executable).parent)
    path = f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {**os.environ, **development, "PATH": path, "PYTHONUNBUFFERED": "1"}


def load_sample_city(
    var: Path, migration_url: str, environment: Mapping[str, str], options: Sequence[str] = ()
) -> None:
    """Give a database that is new to us lots to park in; the command itself changes nothing the second time."""
    mark, database = var / CITY_MARK, _identity(migration_url)
    if mark.is_file() and mark.read_text() == database and Path(environment["GATES_FILE"]).is_file():
        return
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "sample-city", "load", *options]
    loaded = subprocess.run(command, cwd=ROOT, env=environment, check=False)
    if loaded.returncode:
        raise CannotStart("The sample city could not be loaded; the reason stands above.")
    mark.write_text(database)


def _identity(url: str) -> str:
    """Which database this is, even when another has taken its address."""
    with psycopg.connect(plain(url)) as connection:
        row = connection.execute(
            "SELECT system_identifier, (SELECT oid FROM pg_database WHERE datname = current_database())"
            " FROM pg_control_system()"
        ).fetchone()
    return f"{row}"


def _insist_on_free(ports: Ports) -> None:
    named = {
        "PORT": ports.web, "WECHAT_PORT": ports.wechat, "GATES_PORT": ports.gates, "CITY_PORT": ports.city,
        "FISCAL_PORT": ports.fiscal, "TAX_PORT": ports.tax, "MAIL_PORT": ports.mail, "SMTP_PORT": ports.smtp,
    }  # fmt: skip
    for name, port in named.items():
        if is_taken(port):
            raise CannotStart(f"Port {port} is taken by {holder(port)}; choose another one by {name}=.")


def _make(var: Path) -> None:
    try:
        var.mkdir(exist_ok=True)
        (var / CITY_MARK).is_file()
        if not os.access(var, os.R_OK | os.W_OK | os.X_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as refused:
        raise CannotStart(f"The data folder {var} cannot be used: {refused.strerror}.") from None


def _empty(counters: Path) -> None:
    """Counters begin at zero with each start, as those of one process would."""
    counters.mkdir(parents=True, exist_ok=True)
    for file in counters.glob("*.db"):
        file.unlink()


def _tell_when_ready(ports: Ports, var: Path) -> None:
    """Addresses are told when somebody answers there; when nobody ever does, the process set says why."""
    while not _is_ready(f"http://127.0.0.1:{ports.web}/readyz"):
        time.sleep(LOOK_SECONDS)
    _tell(ports, var)


def _is_ready(url: str) -> bool:
    try:
        with urlopen(url, timeout=5) as answer:  # noqa: S310 - our own address
            return bool(answer.status == HTTPStatus.OK)
    except OSError:
        return False


def _tell(ports: Ports, var: Path) -> None:
    print(
        f"Gongbo      http://127.0.0.1:{ports.web}\n"
        f"Interface   http://127.0.0.1:{ports.web}/docs\n"
        f"WeChat      http://127.0.0.1:{ports.wechat} (stand-in)\n"
        f"Gates       http://127.0.0.1:{ports.gates} (stand-in)\n"
        f"City        http://127.0.0.1:{ports.city} (stand-in)\n"
        f"Receipts    http://127.0.0.1:{ports.fiscal}, {ports.tax} (stand-ins)\n"
        f"Mail        http://127.0.0.1:{ports.mail}/letters (stand-in)\n"
        f"Settings    {var / 'development.env'}\n"
        "Ctrl-C ends it all.",
        flush=True,
    )


def _stop(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt
