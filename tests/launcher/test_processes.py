"""The platform's processes run all together or not at all."""

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from launcher import processes
from tests.launcher.stand import ROOT, script

_RUN = f"""
import os, sys
from pathlib import Path
sys.path.insert(0, {str(ROOT)!r})
from launcher.failure import CannotStart
from launcher.process_set import run_processes
try:
    run_processes(dict(os.environ), Path(sys.argv[1]))
except CannotStart as reason:
    sys.exit(str(reason))
"""

_ASKED_AT_ONCE = """
import os, signal
from honcho.manager import Manager
start = Manager._start
Manager._start = lambda manager: (start(manager), os.kill(os.getpid(), signal.SIGTERM))
"""


def test_when_one_process_ends_all_are_ended_and_the_reason_is_told(tmp_path: Path) -> None:
    procfile = tmp_path / "Procfile"
    procfile.write_text(f"short: exec sleep 0.2\nlong: echo $$ > {tmp_path / 'pid'}; exec sleep 600\n")
    done = script(_RUN, str(procfile))
    assert done.returncode == 1
    assert done.stderr.startswith("A process ended by itself")
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))


def test_whoever_has_ended_and_is_not_yet_reaped_is_not_waited_for() -> None:
    with subprocess.Popen(["sleep", "600"]) as child:
        assert processes.end([psutil.Process(child.pid)], seconds=60) == []
        assert processes.is_zombie(child.pid)


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop_it_ends_every_process_and_calls_it_success(tmp_path: Path, asked: signal.Signals) -> None:
    procfile, pid = tmp_path / "Procfile", tmp_path / "pid"
    procfile.write_text(f"long: echo $$ > {pid}; exec sleep 600\n")
    started = subprocess.Popen(
        [sys.executable, "-c", _RUN, str(procfile)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert processes.await_that(lambda: pid.is_file() and pid.read_text().strip() != "", 20)
    started.send_signal(asked)
    _, said = started.communicate(timeout=20)
    assert (started.returncode, said) == (0, b"")
    assert not psutil.pid_exists(int(pid.read_text()))


def test_asked_to_stop_before_any_process_told_its_number_it_leaves_none_behind(tmp_path: Path) -> None:
    procfile = tmp_path / "Procfile"
    names = [f"{tmp_path}/{number}" for number in range(3)]
    procfile.write_text("".join(f"p{place}: exec tail -f /dev/null {name}\n" for place, name in enumerate(names)))
    done = script(_ASKED_AT_ONCE + _RUN, str(procfile))
    assert (done.returncode, done.stderr) == (0, "")
    assert not [process for process in psutil.process_iter() if set(names) & set(_words(process))]


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:  # it ended while we looked
        return []
