"""Start the system: see `--help`."""

import argparse
import json
import os
import signal
from pathlib import Path
from threading import Thread

from simulators.clock import Clock
from simulators.isecure.control import Control
from simulators.isecure.desk import Desk
from simulators.isecure.park import Parks, read_plans
from simulators.wire import Answerer, Asked, Door, Reply


def answerer(parks: Parks, clock: Clock) -> Answerer:
    """Which part answers which path."""
    desk, control = Desk(parks, clock), Control(parks)

    def answer(asked: Asked) -> Reply:
        return control.answer(asked) if asked.path.startswith("/control/") else desk.answer(asked)

    return answer


def main() -> None:
    """Serve until SIGTERM or SIGINT; the state directory keeps everything."""
    wanted = _arguments()
    clock = Clock(wanted.clock_file)
    parks = Parks(wanted.state, clock)
    if wanted.parks and wanted.parks.exists():
        parks.put(read_plans(json.loads(wanted.parks.read_text())))
    door = Door("127.0.0.1", wanted.port, answerer(parks, clock))
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: Thread(target=door.shutdown).start())
    print(f"simulators.isecure: on http://127.0.0.1:{door.server_port}", flush=True)
    door.serve_forever(poll_interval=0.05)
    door.server_close()


def _arguments() -> argparse.Namespace:
    clock_file = os.environ.get("CLOCK_FILE")
    parser = argparse.ArgumentParser(prog="python -m simulators.isecure", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="loopback port; 0 picks one")
    parser.add_argument("--state", type=Path, required=True, help="directory for what the parks remember")
    parser.add_argument("--parks", type=Path, help="JSON: park, app_key, secret, and where to push events, if anywhere")
    parser.add_argument("--clock-file", type=Path, default=Path(clock_file) if clock_file else None)
    return parser.parse_args()


if __name__ == "__main__":
    main()
