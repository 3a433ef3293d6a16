"""The simulator's time: the machine's, moved by the offset that all processes share."""

import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

BEIJING = timezone(timedelta(hours=8))


class Clock:
    """Unix seconds. The offset file holds a plain decimal number of seconds; absent or empty means 0."""

    def __init__(self, offset_file: Path | None = None) -> None:
        self._offset_file = offset_file

    def now(self) -> float:
        return time.time() + self._offset()

    def _offset(self) -> float:
        if self._offset_file is None:
            return 0.0
        try:
            return float(self._offset_file.read_text() or 0)
        except FileNotFoundError:
            return 0.0


def rfc3339(at: float) -> str:
    """Beijing time as WeChat writes it: 2026-03-01T08:00:00+08:00."""
    return datetime.fromtimestamp(at, BEIJING).isoformat(timespec="seconds")
