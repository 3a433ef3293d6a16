"""The platform's clock as the demonstration sees and moves it."""

import time
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from demo.wire import Wire

SHANGHAI = ZoneInfo("Asia/Shanghai")
EVENING = date(2026, 6, 10)
"""A Wednesday and a work day (国办发明电〔2025〕7号 knows no holiday near it); played whatever today is."""


def at(hour: int, minute: int) -> datetime:
    """A moment of the evening that is played."""
    return datetime(EVENING.year, EVENING.month, EVENING.day, hour, minute, tzinfo=SHANGHAI)


def begin(file: Path, moment: datetime) -> None:
    """Before anything runs: the city is built at this moment, and its prices hold from then on."""
    file.write_text(f"{moment.timestamp() - time.time():.6f}")


class PlatformClock:
    """All processes, the stand-ins among them, follow it. It never goes back."""

    def __init__(self, platform: Wire) -> None:
        self._platform = platform
        self._offset = timedelta(seconds=platform.get("/dev/clock")["offset_s"])

    def now(self) -> datetime:
        """The platform's moment, on the clocks of Hangzhou."""
        return datetime.now(SHANGHAI) + self._offset

    def move_to(self, moment: datetime) -> bool:
        """Let it be that moment; false when it is already later."""
        if moment <= self.now():
            return False
        self._offset = timedelta(seconds=self._platform.post("/dev/clock", {"at": moment.isoformat()})["offset_s"])
        return True
