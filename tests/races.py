"""Deeds that start at the same moment, each in a thread of its own."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from flask import Flask

from app.kernel.refusals import Refusal


def at_once(app: Flask, *deeds: Callable[[], object]) -> list[str]:
    """Run them together; tells for each `done` or the refusal's name, in the order of the alphabet."""
    start = threading.Barrier(len(deeds))

    def run(deed: Callable[[], object]) -> str:
        with app.app_context():
            start.wait()
            try:
                deed()
            except Refusal as refusal:
                return type(refusal).__name__
            return "done"

    with ThreadPoolExecutor(len(deeds)) as pool:
        return sorted(pool.map(run, deeds))
