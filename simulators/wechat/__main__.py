"""`python -m simulators.wechat --port P --keys DIR`: serves until SIGTERM or SIGINT."""

import argparse
import os
import signal
from pathlib import Path
from threading import Thread
from types import FrameType

from simulators.clock import Clock
from simulators.wechat.control import Control
from simulators.wechat.identity_api import IdentityApi
from simulators.wechat.keys import KeyMaterial
from simulators.wechat.memory import Memory
from simulators.wechat.pay_api import PayApi
from simulators.wechat.settings import sub_merchants
from simulators.wechat.world import World
from simulators.wire import Answerer, Asked, Door, Reply


def main() -> None:
    """Reads the command line and serves."""
    wanted = arguments()
    world = World(
        KeyMaterial.at(wanted.keys),
        Clock(wanted.clock_file),
        sub_merchants(wanted.sub_merchants),
        wanted.retry_factor,
        wanted.seed,
    )
    memory = Memory(world, wanted.state_file) if wanted.state_file else None
    if memory:
        memory.recall()
    door = Door(wanted.host, wanted.port, answerer(world))
    print(f"WeChat stands in on http://{wanted.host}:{door.server_address[1]}", flush=True)
    serve(door)
    world.courier.stop()
    if memory:
        memory.end()


def answerer(world: World) -> Answerer:
    """Which part of WeChat answers which path."""
    pay, identity, control = PayApi(world), IdentityApi(world), Control(world)

    def answer(asked: Asked) -> Reply:
        if asked.path.startswith("/control/"):
            return control.answer(asked)
        return pay.answer(asked) if asked.path.startswith("/v3/") else identity.answer(asked)

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
    parser = argparse.ArgumentParser(prog="python -m simulators.wechat", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--keys", type=Path, required=True, help="directory of keys, made when absent")
    parser.add_argument("--clock-file", type=Path, default=_named("CLOCK_FILE"), help="offset in seconds")
    parser.add_argument("--retry-factor", type=float, default=1.0, help="scales WeChat's 24 h of retries")
    parser.add_argument("--sub-merchants", default="1900000000-1999999999", help="a range, or a file of numbers")
    parser.add_argument("--state-file", type=Path, help="keeps the book over restarts")
    parser.add_argument("--seed", type=int, help="the same seed gives the same ids")
    return parser.parse_args()


def _named(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value) if value else None


if __name__ == "__main__":
    main()
