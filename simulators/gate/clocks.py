"""The clock in the box at the barrier: nearly right, sometimes not, and corrected by what the platform says."""

import time
from pathlib import Path

NOTICED = 1.5
"""The platform's timestamps are whole seconds: a smaller difference says nothing."""


class DeviceClock:
    """Seconds since 1970 by this gate. `error` is how far it is off; `server_offset` what it knows of that."""

    def __init__(self, offset_file: Path | None, error: float = 0.0) -> None:
        self._offset_file = offset_file
        self.error = error
        self.server_offset = 0.0

    def now(self) -> float:
        """What the gate's own clock shows: the machine's, moved as all clocks here are, and wrong by `error`."""
        return time.time() + self._offset() + self.error

    def corrected(self) -> float:
        """What the platform's clock shows, as far as the gate knows."""
        return self.now() + self.server_offset

    def learn(self, server_time: float, asked_at: float) -> None:
        """The platform said what time it is, some time between `asked_at` by this clock and now.

        What we knew stays as long as it may be true: an answer may be late, and all clocks may be moved meanwhile.
        """
        when_asked, by_now = (server_time + 0.5 - moment for moment in (asked_at, self.now()))
        if not min(when_asked, by_now) - NOTICED <= self.server_offset <= max(when_asked, by_now) + NOTICED:
            self.server_offset = by_now

    def set(self) -> None:
        """The command `set_time`: the clock is right again."""
        self.error, self.server_offset = 0.0, 0.0

    def _offset(self) -> float:
        if self._offset_file is None or not self._offset_file.exists():
            return 0.0
        return float(self._offset_file.read_text().strip() or 0)
