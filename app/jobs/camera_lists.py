"""Cameras that answer for their list on their own web page, asked turn by turn, each between two transactions."""

import time
from typing import Final

from app.domain.gates import actions as gates
from app.wiring import wiring

ROUND_SECONDS: Final = 2.0
"""Cameras may be slow; other due work waits no longer than this and the list in hand."""


def read_camera_lists() -> int:
    """Read the lists that are due, the longest unasked first; returns how many are as desired."""
    ends, as_desired = time.monotonic() + ROUND_SECONDS, 0
    while time.monotonic() < ends and (asked := gates.ask_due()):
        rows = wiring().camera_lists.rows(asked.url)
        as_desired += rows is not None and gates.take_whole(asked.device_id, rows, asked.at)
    return as_desired
