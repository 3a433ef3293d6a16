"""`python -m simulators.city --port P --keys DIR`: serves until SIGTERM or SIGINT."""

import argparse
import os
import signal
from pathlib import Path
from threading import Thread
from types import FrameType

from simulators.city.control import Control
from simulators.city.desk import Desk
from simulators.city.faults import Faults
from simulators.city.keys import KeyMaterial
from simulators.city.letters import Letters
from simulators.city.register import Register
from simulators.clock import Clock
from simulators.wire import Answerer, Asked, Door, Reply


def main() -> None:
    """Reads the command line and serves."""
    wanted = arguments()
    clock = Clock(wanted.clock_file)
    register = Register(clock, wanted.state_file)
    faults = Faults()
    desk = Desk(Letters(KeyMaterial.at(wanted.keys), wanted.sign_hash), register, faults)
    door = Door(wanted.host, wanted.port, answerer(desk, Control(register, faults, clock)))
    print(f"The city's system stands in on http://{wanted.host}:{door.server_address[1]}", flush=True)
    serve(door)
    register.save()


def answerer(desk: Desk, control: Control) -> Answerer:
    """Which part answers which path."""

    def answer(asked: Asked) -> Reply:
        return control.answer(asked) if asked.path.startswith("/control/") else desk.answer(asked)

    return answer


def serve(door: Door) -> None:
    """Returns after a signal."""

    def stop(_: int, __: FrameType | None) -> None:
        Thread(target=door.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    door.serve_forever(poll_interval=0.1)
    door.socket.close()


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m simulators.city", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--keys", type=Path, required=True, help="directory of keys, made when absent")
    parser.add_argument("--clock-file", type=Path, default=_named("CLOCK_FILE"), help="offset in seconds")
    parser.add_argument("--sign-hash", choices=("sha256", "sha1", "md5"), default="sha256")
    parser.add_argument("--state-file", type=Path, help="keeps the register over restarts")
    return parser.parse_args()


def _named(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value) if value else None


if __name__ == "__main__":
    main()
