"""Processes that may still live in a data folder, and zombies that only look alive."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil

POLL_SECONDS = 0.05
Finished = subprocess.CompletedProcess[str]


def await_that(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether the condition came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def is_zombie(pid: int) -> bool:
    """Whether the process has ended and waits for a parent to notice."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def living_in(folder: Path) -> list[psutil.Process]:
    """Processes whose working folder this is: a server, or backends that outlived their postmaster."""
    return [process for process in psutil.process_iter() if _working_folder(process) == folder]


def naming(folder: Path) -> list[psutil.Process]:
    """Processes that were told this folder on their command line: an initdb whose launcher was killed."""
    return [process for process in psutil.process_iter() if str(folder) in _words(process)]


def end(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Ask them to end; returns those that did not. One that nobody has reaped yet has ended."""
    for process in processes:
        _signal(process)
    await_that(lambda: not any(map(_is_alive, processes)), seconds)
    return [process for process in processes if _is_alive(process)]


def _is_alive(process: psutil.Process) -> bool:
    return process.is_running() and not is_zombie(process.pid)


def _signal(process: psutil.Process) -> None:
    try:
        process.terminate()
    except psutil.NoSuchProcess:
        return


def _working_folder(process: psutil.Process) -> Path | None:
    try:
        return Path(process.cwd())
    except (psutil.Error, OSError):
        return None


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except (psutil.Error, OSError):
        return []
