"""Start the gates: see `--help`."""

import argparse
import os
import signal
import threading
from pathlib import Path

from simulators.gate.control import Control
from simulators.gate.life import Street
from simulators.gate.plan import Habits, read_file

LOOK_SECONDS = 0.05


def main() -> None:
    """Run until SIGTERM or SIGINT, then leave quietly; the state directory keeps everything."""
    wanted = _arguments().parse_args()
    habits = Habits(
        wanted.platform,
        wanted.poll_seconds,
        wanted.heartbeat_seconds,
        decide_seconds=wanted.decide_seconds,
        seed=wanted.seed,
    )
    street = Street(habits, wanted.state, wanted.clock_file)
    street.put(read_file(wanted.gates) if wanted.gates else [])
    control = Control(wanted.port, street)
    over = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: over.set())
    threading.Thread(target=control.serve_forever, args=(LOOK_SECONDS,), daemon=True).start()
    print(f"gates: control on http://127.0.0.1:{control.server_port}", flush=True)
    over.wait()
    control.shutdown()
    street.end()


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulators.gate", description="Gates that speak gate/v1.")
    told = os.environ.get
    parser.add_argument(
        "--platform",
        default=f"http://127.0.0.1:{told('PORT', '8000')}",
        help="address of the platform (default: $PORT)",
    )
    parser.add_argument("--port", type=int, required=True, help="loopback port of the control API; 0 picks one")
    parser.add_argument(
        "--state",
        type=Path,
        default=Path(told("GATES_STATE", "var/gates")),
        help="directory for what the gates remember",
    )
    parser.add_argument("--gates", type=Path, help="JSON: gate_id, key_id, secret (hex), lot, lane, direction")
    parser.add_argument(
        "--clock-file",
        type=Path,
        default=Path(told("CLOCK_FILE", "")) if told("CLOCK_FILE") else None,
        help="file with the seconds by which all clocks are moved (default: $CLOCK_FILE)",
    )
    parser.add_argument("--poll-seconds", type=int, default=20)
    parser.add_argument("--heartbeat-seconds", type=float, default=10.0)
    parser.add_argument(
        "--decide-seconds",
        type=float,
        default=float(told("GATES_DECIDE_SECONDS", "1.5")),
        help="how long a car waits before the gate decides (default: $GATES_DECIDE_SECONDS)",
    )
    parser.add_argument("--seed", type=int, help="makes misreadings and event names the same again")
    return parser


main()
