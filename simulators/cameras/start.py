"""How each vendor's program begins and ends."""

import argparse
import os
import signal
import threading
from collections.abc import Mapping
from pathlib import Path

from simulators.cameras.control import Control, Page
from simulators.cameras.life import Maker, Yard
from simulators.cameras.plan import Habits, read_file
from simulators.wire import Door

LOOK_SECONDS = 0.05


def run(program: str, told: str, make: Maker, pages: Mapping[str, Page]) -> None:
    """Run until SIGTERM or SIGINT, then leave quietly; the state directory keeps everything."""
    wanted = _arguments(program, told).parse_args()
    habits = Habits(
        wanted.platform, wanted.answer_seconds, wanted.poll_seconds, wanted.after_error_seconds,
        wanted.heartbeat_seconds, wanted.seed,
    )  # fmt: skip
    yard = Yard(make, habits, wanted.state, wanted.clock_file)
    yard.put(read_file(wanted.cameras) if wanted.cameras else [])
    door = Door("127.0.0.1", wanted.port, Control(yard, pages).answer)
    over = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: over.set())
    threading.Thread(target=door.serve_forever, args=(LOOK_SECONDS,), daemon=True).start()
    print(f"{program}: control on http://127.0.0.1:{door.server_port}", flush=True)
    over.wait()
    door.shutdown()
    yard.end()


def _arguments(program: str, told: str) -> argparse.ArgumentParser:
    clock_file = os.environ.get("CLOCK_FILE")
    parser = argparse.ArgumentParser(prog=f"python -m {program}", description=told)
    parser.add_argument("--platform", required=True, help="address of the platform")
    parser.add_argument("--port", type=int, required=True, help="loopback port of the control API; 0 picks one")
    parser.add_argument("--state", type=Path, required=True, help="directory for what the cameras remember")
    parser.add_argument("--cameras", type=Path, help="JSON: serial, path, and what else differs")
    parser.add_argument("--clock-file", type=Path, default=Path(clock_file) if clock_file else None)
    parser.add_argument("--answer-seconds", type=float, default=5.0, help="how long a push waits for its answer")
    parser.add_argument("--poll-seconds", type=float, default=30.0, help="how long a poll waits for its answer")
    parser.add_argument("--after-error-seconds", type=float, default=2.0)
    parser.add_argument("--heartbeat-seconds", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=0, help="makes misreadings the same again")
    return parser
