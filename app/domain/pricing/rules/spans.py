"""Seconds of Shanghai's wall clock, half-open spans of them, and the bands that lie over them.

Inside the engine an instant is a whole number: seconds since 1970-01-01 00:00 on Hangzhou's wall. China has kept
one offset since 1991, so that a day always has 86,400 of them and begins at a multiple of it.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from app.domain.pricing.rules.form import DAY_SECONDS, Form, InvalidTariff, clock
from app.kernel.clock import SHANGHAI
from app.kernel.refusals import Conflict

if TYPE_CHECKING:
    from app.domain.pricing.rules.parts import Band

Calendar = Callable[[date], str | Collection[str]]
"""Tells the day classes of a date, under the names that a tariff's bands use."""

_OFFSET: Final = 8 * 3600
_EPOCH: Final = date(1970, 1, 1)


class NoPrice(Conflict):
    """The tariff says nothing about this time: outside its bands, beyond its table, or past its limits."""

    code = "tariff_has_no_price"
    message = "该收费标准未规定此次停车的价格"


def wall(at: datetime) -> int:
    """An aware moment as wall seconds; a fraction of a second is dropped."""
    return int(at.timestamp() // 1) + _OFFSET


def moment(at: int) -> datetime:
    """Wall seconds as an aware moment in Shanghai."""
    return datetime.fromtimestamp(at - _OFFSET, UTC).astimezone(SHANGHAI)


def day_of(at: int) -> date:
    """The date of wall seconds."""
    return _EPOCH + timedelta(days=at // DAY_SECONDS)


def no_day_classes(day: date) -> Collection[str]:
    """The calendar of tariffs that do not look at the day's class."""
    del day
    return ()


def classes_of(listed: Mapping[date, str | Collection[str]]) -> Calendar:
    """A calendar from a list of dates; a date that is not listed has no class."""
    return lambda day: listed.get(day, ())


class Span(NamedTuple):
    """Half-open [begin, end) in wall seconds."""

    begin: int
    end: int

    @property
    def seconds(self) -> int:
        return self.end - self.begin

    def within(self, other: "Span") -> "Span":
        """The common part; it may be empty, but never negative."""
        begin = max(self.begin, other.begin)
        return Span(begin, max(begin, min(self.end, other.end)))

    def without(self, holes: Iterable["Span"]) -> "list[Span]":
        """What remains, in order, when the holes are cut out."""
        left, begin = [], self.begin
        for hole in sorted(hole.within(self) for hole in holes):
            if hole.seconds and begin < hole.begin:
                left.append(Span(begin, hole.begin))
            begin = max(begin, hole.end) if hole.seconds else begin
        return [*left, Span(begin, self.end)] if begin < self.end else left


@dataclass(frozen=True)
class Window:
    """A daily window of clock times; `from` later than `to` runs over midnight."""

    begin: int
    end: int

    @classmethod
    def read(cls, value: object, where: str) -> "Window":
        form = Form(value, where)
        window = cls(form.take("from", clock), form.take("to", clock))
        form.close()
        return window.checked(where)

    def checked(self, where: str) -> "Window":
        if self.begin % DAY_SECONDS == self.end % DAY_SECONDS and not self.is_whole_day:
            raise InvalidTariff(where, "from and to must differ; a whole day is 00:00 to 24:00")
        return self

    @property
    def is_whole_day(self) -> bool:
        return (self.begin, self.end) == (0, DAY_SECONDS)

    @property
    def wraps(self) -> bool:
        return self.begin > self.end

    def slots(self) -> list[Span]:
        """Its parts within one day."""
        if not self.wraps:
            return [Span(self.begin, self.end)]
        parts = (Span(0, self.end), Span(self.begin, DAY_SECONDS))
        return [part for part in parts if part.seconds]

    def seconds_within(self, span: Span) -> int:
        """How many seconds of a span lie inside the window, days counted at once."""
        return self._seconds_until(span.end) - self._seconds_until(span.begin)

    def _seconds_until(self, at: int) -> int:
        days, clock_seconds = divmod(at, DAY_SECONDS)
        today = Span(0, clock_seconds)
        return sum(days * slot.seconds + slot.within(today).seconds for slot in self.slots())


class Segment(NamedTuple):
    """A maximal span inside one band."""

    span: Span
    band: "Band"


class Timetable:
    """Which band applies when: at every instant exactly one (docs/tariffs.md, bands)."""

    def __init__(self, bands: "Sequence[Band]", calendar: Calendar) -> None:
        self._bands = bands
        self._calendar = calendar
        self._knows_classes = any(band.days is not None for band in bands)
        self._plans: dict[frozenset[str], list[Segment]] = {}

    def band_at(self, at: int) -> "Band":
        return self.segments(Span(at, at + 1))[0].band

    def segments(self, span: Span) -> list[Segment]:
        """The span cut where the band changes; midnight alone is no cut. Refuses time without a band: NoPrice."""
        if len(self._bands) == 1 and self._bands[0].is_always:
            return [Segment(span, self._bands[0])] if span.seconds else []
        merged: list[Segment] = []
        for part, band in self._pieces(span):
            begin = merged.pop().span.begin if merged and merged[-1].band is band else part.begin
            merged.append(Segment(Span(begin, part.end), band))
        return merged

    def known(self, span: Span) -> list[Segment]:
        """The pieces of a span that have a band, day by day; time without one is left out."""
        days = range(span.begin // DAY_SECONDS, -(-span.end // DAY_SECONDS))
        return [piece for day in days for piece in self._day(day, span)]

    def segment_from(self, at: int, end: int) -> Segment:
        """The rest of the segment that holds `at`, up to `end`; looks no further than it must."""
        band, until = self.band_at(at), at
        for piece in self._pieces(Span(at, end)):
            if piece.band is not band:
                break
            until = piece.span.end
        return Segment(Span(at, until), band)

    def _pieces(self, span: Span) -> Iterator[Segment]:
        reached = span.begin
        for day in range(span.begin // DAY_SECONDS, -(-span.end // DAY_SECONDS)):
            for piece in self._day(day, span):
                _refuse_gap(reached, piece.span.begin)
                yield piece
                reached = piece.span.end
        _refuse_gap(reached, span.end)

    def _day(self, day: int, span: Span) -> Iterator[Segment]:
        midnight = day * DAY_SECONDS
        for slot, band in self._plan_of(day_of(midnight)):
            part = Span(midnight + slot.begin, midnight + slot.end).within(span)
            if part.seconds:
                yield Segment(part, band)

    def _plan_of(self, day: date) -> list[Segment]:
        classes = self._calendar(day) if self._knows_classes else ()
        key = frozenset((classes,) if isinstance(classes, str) else classes)
        if key not in self._plans:
            self._plans[key] = day_plan(self._bands, key, str(day))
        return self._plans[key]


def _refuse_gap(reached: int, begin: int) -> None:
    if reached < begin:
        raise NoPrice(at=moment(reached).isoformat(), reason="no band applies")


def day_plan(bands: "Sequence[Band]", classes: frozenset[str], where: str) -> list[Segment]:
    """The bands of one day in order, as seconds since its midnight; refuses two at once."""
    plan = sorted(
        (Segment(slot, band) for band in bands if band.applies_on(classes) for slot in band.window.slots()),
        key=lambda segment: segment.span,
    )
    for earlier, later in pairwise(plan):
        if later.span.begin < earlier.span.end:
            raise InvalidTariff(where, f"bands {earlier.band.name} and {later.band.name} apply at once")
    return plan


def has_gap(plan: Sequence[Segment]) -> bool:
    """Whether some time of the day has no band."""
    return sum(segment.span.seconds for segment in plan) < DAY_SECONDS
