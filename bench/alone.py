"""What a command holds of memory at most, apart from what this process holds.

Linux counts to a process what the one it was forked from held by then (getrusage(2), `ru_maxrss`), which here may be
much: so a small process, this module's own, stands between the two.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from launcher.venv import ROOT

A_MEGABYTE: Final = 1024 if sys.platform == "linux" else 1024**2
"""In the unit of `ru_maxrss`."""


class Failed(Exception):
    """The command ended with another exit code than 0."""


@dataclass(frozen=True)
class Ran:
    """What the command wrote on stdout, and the most memory that it held, in megabytes."""

    told: str
    peak_mb: float


def run(command: Sequence[str], environment: Mapping[str, str]) -> Ran:
    """Run it in the project's folder. Raises `Failed`."""
    reading, writing = os.pipe()
    with os.fdopen(reading) as peak:
        try:
            done = subprocess.run(
                [sys.executable, "-m", "bench.alone", str(writing), *command], cwd=ROOT, env={**environment},
                stdout=subprocess.PIPE, text=True, pass_fds=[writing], check=False,
            )  # fmt: skip
        finally:
            os.close(writing)
        if done.returncode:
            raise Failed(f"exit code {done.returncode}")
        return Ran(done.stdout, int(peak.read()) / A_MEGABYTE)


def _stand_between(writing: int, command: Sequence[str]) -> int:
    process = subprocess.Popen(command)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    os.write(writing, str(used.ru_maxrss).encode())
    return process.returncode


if __name__ == "__main__":
    sys.exit(_stand_between(int(sys.argv[1]), sys.argv[2:]))
