"""A clock of the command's own, to play the past with: no other process sees it move.

The platform's file is not touched, so nothing has to be put back when the command is killed halfway.
"""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from app.kernel import clock


class OwnClock:
    """Moves `clock.now()` of this process."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._begun, self._begun_at = time.monotonic(), clock.now() - clock.offset()

    def move_to(self, moment: datetime) -> None:
        """From now on it is about `moment`; time goes on from there."""
        since = timedelta(seconds=time.monotonic() - self._begun)
        offset = moment - self._begun_at - since
        draft = self._file.with_suffix(".draft")
        draft.write_text(f"{offset.total_seconds():.6f}")
        draft.replace(self._file)


@contextmanager
def own_clock(shared: Path | None) -> Iterator[OwnClock]:
    """Within the block this process reads a copy of the `shared` offset file, which it may move."""
    with tempfile.TemporaryDirectory(prefix="gongbo-clock-") as folder:
        file = Path(folder) / "clock"
        file.write_text(f"{clock.offset().total_seconds():.6f}")
        clock.use_offset_file(file)
        try:
            yield OwnClock(file)
        finally:
            clock.use_offset_file(shared)
