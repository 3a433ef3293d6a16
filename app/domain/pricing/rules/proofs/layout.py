"""Which band applies when, over the few days that one proof looks at; laid out once for all entries."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from app.domain.pricing.rules.form import DAY_SECONDS
from app.domain.pricing.rules.parts import Band
from app.domain.pricing.rules.spans import Span, day_plan

DayClasses = frozenset[str]


class Stretch(NamedTuple):
    """A maximal span inside one band; no band is a gap, in which the tariff has no price."""

    begin: int
    end: int
    band: Band | None


class Layout:
    """The stretches of consecutive days, in seconds from the first midnight."""

    def __init__(self, bands: Sequence[Band], days: Sequence[DayClasses]) -> None:
        self._stretches = list(_merged(_told(bands, days)))
        self._begins = [stretch.begin for stretch in self._stretches]

    @property
    def end(self) -> int:
        return self._stretches[-1].end

    def at(self, second: int) -> Stretch:
        return self._stretches[bisect_right(self._begins, second) - 1]

    def over(self, span: Span) -> Iterator[Stretch]:
        """The stretches of a span, cut to it."""
        place = bisect_right(self._begins, span.begin) - 1
        for begin, end, band in self._stretches[place:]:
            if begin >= span.end:
                return
            yield Stretch(max(begin, span.begin), min(end, span.end), band)


def _told(bands: Sequence[Band], days: Sequence[DayClasses]) -> Iterator[Stretch]:
    for day, classes in enumerate(days):
        midnight, reached = day * DAY_SECONDS, 0
        for slot, band in day_plan(bands, classes, "bands"):
            yield Stretch(midnight + reached, midnight + slot.begin, None)
            yield Stretch(midnight + slot.begin, midnight + slot.end, band)
            reached = slot.end
        yield Stretch(midnight + reached, midnight + DAY_SECONDS, None)


def _merged(stretches: Iterator[Stretch]) -> Iterator[Stretch]:
    kept: Stretch | None = None
    for stretch in stretches:
        if stretch.begin == stretch.end:
            continue
        if kept is not None and kept.band is stretch.band:
            kept = kept._replace(end=stretch.end)
            continue
        if kept is not None:
            yield kept
        kept = stretch
    if kept is not None:
        yield kept
