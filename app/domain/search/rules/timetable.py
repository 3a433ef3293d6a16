"""When a lot is open: its windows, in order. Lots that keep the same hours share one timetable."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice, takewhile
from typing import Any
from weakref import WeakValueDictionary

Window = tuple[datetime, datetime]


@dataclass(slots=True, weakref_slot=True, eq=False)
class Timetable:
    """Open windows that do not overlap. `memo` is for whoever shows them: things that hang on nothing else."""

    windows: Sequence[Window]
    opens: Sequence[datetime] = field(init=False)
    memo: dict[Any, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Know when windows begin, to look moments up."""
        self.opens = [opens_at for opens_at, _ in self.windows]

    @classmethod
    def of(cls, windows: Sequence[Window]) -> "Timetable":
        """The one timetable with these windows."""
        key = tuple(windows)
        known = _known.get(key)
        if known is None:
            known = _known[key] = cls(key)
        return known

    def windows_on(self, begins_at: datetime, ends_at: datetime) -> list[Window]:
        """The windows that touch [begins_at, ends_at), cut to it."""
        first = max(bisect_right(self.opens, begins_at) - 1, 0)
        touching = takewhile(lambda window: window[0] < ends_at, islice(self.windows, first, None))
        return [(max(opens, begins_at), min(closes, ends_at)) for opens, closes in touching if closes > begins_at]

    def window_at(self, at: datetime) -> Window | None:
        """The open window that holds a moment."""
        place = bisect_right(self.opens, at) - 1
        return self.windows[place] if place >= 0 and self.windows[place][1] > at else None

    def is_open(self, begins_at: datetime, ends_at: datetime) -> bool:
        """Whether a lot with these hours is open for all of a span."""
        window = self.window_at(begins_at)
        return window is not None and ends_at <= window[1]

    def next_opening(self, after: datetime) -> datetime | None:
        """When it opens next after a moment."""
        place = bisect_right(self.opens, after)
        return self.opens[place] if place < len(self.opens) else None


_known: WeakValueDictionary[tuple[Window, ...], Timetable] = WeakValueDictionary()
"""Those that some lot on some board keeps."""
