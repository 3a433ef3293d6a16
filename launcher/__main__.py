"""`python -m launcher setup|lock|clean|up|down|status|run`; the first runs on a bare Python."""

import argparse
import shutil
import sys
from pathlib import Path

from launcher.failure import CannotStart
from launcher.venv import ROOT, lock, set_up

VENV = ROOT / ".venv"
VAR = ROOT / "var"
CACHES = (".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis")


def main() -> int:
    """Do what was asked; 1 and a plain sentence on stderr when it cannot be done."""
    wanted = _arguments()
    try:
        _COMMANDS[wanted.command](wanted)
    except CannotStart as reason:
        print(reason, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


def _setup(_: argparse.Namespace) -> None:
    if set_up(VENV):
        print("The environment agrees with the lock.")


def _lock(_: argparse.Namespace) -> None:
    lock()


def _clean(wanted: argparse.Namespace) -> None:
    if VENV.is_dir() and wanted.data.is_dir():
        _remove_data(wanted.data)
    for name in (VENV, VAR, *(ROOT / cache for cache in CACHES)):
        shutil.rmtree(name, ignore_errors=True)


def _remove_data(folder: Path) -> None:
    from launcher.servers import Servers  # noqa: PLC0415 - needs the environment

    servers = Servers.at(folder)
    servers.down()
    shutil.rmtree(servers.place.base)


def _up(wanted: argparse.Namespace) -> None:
    from launcher.backing import embedded  # noqa: PLC0415 - needs the environment
    from launcher.servers import Servers  # noqa: PLC0415

    servers = Servers.at(wanted.data, wanted.pg_port, wanted.valkey_port)
    started = servers.up()
    try:
        addresses = embedded(servers)
    except BaseException:
        servers.stop(started)
        raise
    for name, value in addresses.items():
        print(f"{name}={value}")


def _down(wanted: argparse.Namespace) -> None:
    from launcher.servers import Servers  # noqa: PLC0415 - needs the environment

    print("stopped" if Servers.at(wanted.data).down() else "nothing was running")


def _status(wanted: argparse.Namespace) -> None:
    from launcher.servers import Servers  # noqa: PLC0415 - needs the environment

    for name, state in Servers.at(wanted.data).status().items():
        print(f"{name}: {state}")


def _run(wanted: argparse.Namespace) -> None:
    from launcher.platform_run import run_platform  # noqa: PLC0415 - needs the environment

    run_platform(wanted.var, bare=wanted.bare)


_COMMANDS = {
    "setup": _setup, "lock": _lock, "clean": _clean, "up": _up, "down": _down, "status": _status, "run": _run,
}  # fmt: skip


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m launcher", description=__doc__)
    parser.add_argument("command", choices=sorted(_COMMANDS))
    parser.add_argument("--data", type=Path, default=VAR / "servers", help="folder of the embedded servers")
    parser.add_argument("--var", type=Path, default=VAR, help="run: folder of everything that is local")
    parser.add_argument("--bare", action="store_true", help="run: a new city without a past")
    parser.add_argument("--pg-port", type=int, default=54329)
    parser.add_argument("--valkey-port", type=int, default=63799)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
