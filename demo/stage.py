"""The stack of `make run` with a bare city, in a temporary folder on free ports; nothing of it stays."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psutil

from demo.clock import begin
from demo.patience import DemoFailed, awaited
from demo.wire import Wire
from launcher.environment import Ports, read_environment
from launcher.platform_run import child_environment
from launcher.ports import free_ports
from launcher.servers import Servers
from launcher.venv import ROOT

START_SECONDS = 90.0
END_SECONDS = 30.0
COMMAND_SECONDS = 60.0
LOG_TAIL_LINES = 40
FINANCE, PASSWORD = "sample-finance", "示例密码请勿用于真实系统"
"""Who looks at the books: a sample account, with the password of all of them."""
ROUTINE = '"status": 20', '"event": "job_done"'
PATIENT_GATES = "10"
"""A gate decides alone after 1.5 s. On a machine that is busy with other things that would tell another story."""

SURROUNDINGS = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH")
"""What the platform may know of the terminal it is started from: no address and no key of another platform."""


@dataclass(frozen=True)
class Stage:
    """The running platform as it is reached from outside."""

    folder: Path
    platform: Wire
    wechat: Wire
    gates: Wire
    mail: Wire

    @property
    def gates_file(self) -> Path:
        return self.folder / "gates.json"

    def say(self, *commands: Sequence[str]) -> list[str]:
        """What commands such as `ledger books` say to the sample's finance person, all at once. Raises `DemoFailed`."""
        with ThreadPoolExecutor() as pool:
            return list(pool.map(self._say, commands))

    def _say(self, command: Sequence[str]) -> str:
        told = read_environment(self.folder / "development.env")
        environment = child_environment(told) | {"GONGBO_AS": FINANCE, "GONGBO_PASSWORD": PASSWORD}
        line = [sys.executable, "-m", "flask", "--app", "wsgi", *command]
        done = subprocess.run(
            line, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False
        )
        if done.returncode:
            raise DemoFailed(f"`{' '.join(command)}` failed: {done.stderr.strip()[-500:]}")
        return done.stdout


@contextmanager
def stage(begins_at: datetime) -> Iterator[Stage]:
    """Set up, and take away whatever happens. When something fails the end of the platform's log is shown."""
    folder = Path(tempfile.mkdtemp(prefix="gongbo-demo-"))
    try:
        folder.chmod(0o755)  # or the servers of root could not live in it; every secret in it is 0600
        begin(folder / "clock", begins_at)
        with _running(folder) as built:
            yield built
    finally:
        with _undisturbed():
            _remove(folder)


@contextmanager
def _running(folder: Path) -> Iterator[Stage]:
    ports = Ports(*free_ports(10))
    with (folder / "log").open("w") as log:
        launcher = subprocess.Popen(
            [sys.executable, "-m", "launcher", "run", "--var", folder, "--bare"],
            cwd=ROOT, env=_environment(ports), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
    addresses = [f"http://127.0.0.1:{port}" for port in (ports.web, ports.wechat, ports.gates, ports.mail)]
    wires = [Wire(address) for address in addresses]
    try:
        built = Stage(folder, *wires)
        awaited("the platform answers", lambda: _is_ready(built, launcher), START_SECONDS)
        yield built
    except Exception:
        _show_end_of(folder / "log")
        raise
    finally:
        with _undisturbed():
            for wire in wires:
                wire.close()
            _end(launcher)


def _environment(ports: Ports) -> dict[str, str]:
    known = {name: os.environ[name] for name in SURROUNDINGS if name in os.environ}
    return known | {
        "PORT": str(ports.web), "WECHAT_PORT": str(ports.wechat), "GATES_PORT": str(ports.gates),
        "CITY_PORT": str(ports.city), "FISCAL_PORT": str(ports.fiscal), "TAX_PORT": str(ports.tax),
        "MAIL_PORT": str(ports.mail), "SMTP_PORT": str(ports.smtp),
        "PG_PORT": str(ports.postgres), "VALKEY_PORT": str(ports.valkey),
        "GATES_DECIDE_SECONDS": PATIENT_GATES,
    }  # fmt: skip


def _is_ready(built: Stage, launcher: "subprocess.Popen[bytes]") -> bool:
    if launcher.poll() is not None:
        raise DemoFailed("the platform did not start")
    stand_ins = (built.wechat, built.gates, built.mail)
    return built.platform.answers("/readyz") and all(wire.answers("/control/health") for wire in stand_ins)


def _end(launcher: "subprocess.Popen[bytes]") -> None:
    """As Ctrl-C ends `make run`; what does not listen is killed."""
    family = _family(launcher)
    launcher.terminate()
    try:
        launcher.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        launcher.kill()
        launcher.wait()
    for process in psutil.wait_procs(family, timeout=0)[1]:
        process.kill()


def _family(launcher: "subprocess.Popen[bytes]") -> list[psutil.Process]:
    try:
        return psutil.Process(launcher.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _remove(folder: Path) -> None:
    """Servers that outlived a killed launcher, their data wherever it lies, and the folder."""
    servers = Servers.at(folder / "servers")
    servers.down()
    shutil.rmtree(servers.place.base)
    shutil.rmtree(folder)


def _show_end_of(log: Path) -> None:
    """Without the calls and jobs that went well, which are nearly all of it."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if not any(word in line for word in ROUTINE)]
    print("the end of the platform's log:", *lines[-LOG_TAIL_LINES:], sep="\n    ", file=sys.stderr, flush=True)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """A second Ctrl-C does not leave half of it behind."""
    before = {name: signal.signal(name, signal.SIG_IGN) for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for name, was in before.items():
            signal.signal(name, was)
