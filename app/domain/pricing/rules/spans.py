"""Seconds of Shanghai's wall clock, half-open spans of them, and the bands that lie over them.

Inside the engine an instant is a whole number: seconds since 1970-01-01 00:00 on Hangzhou's wall. China has kept
one offset since 1991, so that a day always has 86,400 of them and begins at a multiple of it.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn

from app.domain.pricing.rules.day_classes import Calendar
from app.domain.pricing.rules.form import DAY_SECONDS, Form, Senseless, clock
from app.kernel.refusals import Conflict

if TYPE_CHECKING:
    from app.domain.pricing.rules.parts import Band

_OFFSET: Final = 8 * 3600
_ZONE: Final = timezone(timedelta(seconds=_OFFSET), "Asia/Shanghai")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=_ZONE)


class NoPrice(Conflict):
    """The tariff says nothing about this time: outside its bands, beyond its table, or past its limits."""

    code = "tariff_has_no_price"
    message = "该收费标准未规定此次停车的价格"


class UnknownDayClass(NoPrice):
    """The bands look at the class of a date, and know none that the calendar tells; details: `date`, `classes`."""

    code = "unknown_day_class"
    message = "该收费标准没有此类日期的价格"


class BandsLeaveGap(Senseless):
    """Some time of the day has no band."""

    code = "bands_leave_gap"
    message = "时段之间有空缺"


class BandsOverlap(Senseless):
    """Two bands apply at once."""

    code = "bands_overlap"
    message = "时段互相重叠"


def wall(at: datetime) -> int:
    """An aware moment as wall seconds; a fraction of a second is dropped."""
    return int(at.timestamp() // 1) + _OFFSET


def moment(at: int) -> datetime:
    """Wall seconds as an aware moment in Shanghai."""
    return _EPOCH + timedelta(seconds=at)


def day_of(at: int) -> date:
    """The date of wall seconds."""
    return (_EPOCH + timedelta(seconds=at)).date()


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
            raise Senseless(where, "from与to不得相同；全天为00:00至24:00")
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


class Plans:
    """The bands of a day for each set of classes it may have; each plan is made once and kept with the tariff."""

    def __init__(self, bands: "Sequence[Band]") -> None:
        self._bands = bands
        self._kept: dict[frozenset[str], list[Segment]] = {}
        self.common = day_plan([band for band in bands if band.days is None], frozenset(), "bands")
        """What holds on every day, whatever its class."""
        self.open = _gaps(self.common) if any(band.days is not None for band in bands) else []
        """The times of a day, in seconds since midnight, at which its class decides."""

    def of(self, classes: frozenset[str], day: date) -> list[Segment]:
        """The bands of a day of these classes. Raises BandsOverlap when they contradict each other."""
        if classes not in self._kept:
            self._kept[classes] = day_plan(self._bands, classes, str(day))
        return self._kept[classes]

    def refuse_unknown(self, classes: frozenset[str], day: date) -> None:
        """Raises UnknownDayClass where no band of some days speaks of such a day."""
        if not any(band.days is not None and band.applies_on(classes) for band in self._bands):
            raise UnknownDayClass(date=str(day), classes=sorted(classes))


class Timetable:
    """Which band applies when: at every instant exactly one (docs/tariffs.md, bands).

    The calendar is asked at most once for a date, and only where the class of the date decides.
    """

    def __init__(self, bands: "Sequence[Band]", calendar: Calendar, plans: Plans | None = None) -> None:
        self._always = bands[0] if len(bands) == 1 and bands[0].is_always else None
        self._plans = plans or Plans(bands)
        self._calendar = calendar
        self._known: dict[int, list[Segment]] = {}

    def band_at(self, at: int) -> "Band":
        return self._always or next(self._joined(Span(at, at + 1))).band

    def segments(self, span: Span) -> list[Segment]:
        """The span cut where the band changes; midnight alone is no cut. Refuses time without a band: NoPrice."""
        return list(self.walk(span))

    def walk(self, span: Span) -> Iterator[Segment]:
        """The same, one after the other: no day is looked at before it is reached."""
        if self._always is not None:
            return iter([Segment(span, self._always)] if span.begin < span.end else [])
        return self._joined(span)

    def _joined(self, span: Span) -> Iterator[Segment]:
        begin, band = span.begin, None
        for reached, next_band in self._changes(span):
            if next_band is not band:
                if band is not None:
                    yield Segment(Span(begin, reached), band)
                begin, band = reached, next_band
        if band is not None:
            yield Segment(Span(begin, span.end), band)

    def _changes(self, span: Span) -> Iterator[tuple[int, "Band"]]:
        """Each second of the span at which a slot of the plan begins, and its band; time is left out by none."""
        reached, end = span
        while reached < end:
            midnight = reached - reached % DAY_SECONDS
            for (first, last), band in self._plan(midnight // DAY_SECONDS, reached - midnight, end - midnight):
                if last + midnight <= reached:
                    continue
                if first + midnight > reached or reached == end:
                    break
                yield reached, band
                reached = min(last + midnight, end)
            if reached < end and reached < midnight + DAY_SECONDS:
                self._refuse_gap(reached)

    def known(self, day: int) -> Iterator[Segment]:
        """The pieces of a day, which is told by its number, that have a band; time without one is left out."""
        midnight = day * DAY_SECONDS
        for (begin, end), band in self._plan(day, 0, DAY_SECONDS):
            yield Segment(Span(begin + midnight, end + midnight), band)

    def plans_over(self, span: Span) -> tuple[int, ...]:
        """What tells spans of unlike days apart: equal for two of them, equal bands follow each other there."""
        if not self._plans.open:
            return ()
        midnight = span.begin - span.begin % DAY_SECONDS
        days = range(midnight, span.end, DAY_SECONDS)
        return tuple(id(self._plan(day // DAY_SECONDS, span.begin - day, span.end - day)) for day in days)

    def _plan(self, day: int, first: int, last: int) -> list[Segment]:
        """The bands of a day, complete from its second `first` to `last`."""
        plans = self._plans
        if not plans.open or not any(begin < last and end > first for begin, end in plans.open):
            return plans.common
        if day not in self._known:
            date_of_day = day_of(day * DAY_SECONDS)
            self._known[day] = self._plans.of(classes_told(self._calendar(date_of_day)), date_of_day)
        return self._known[day]

    def _refuse_gap(self, reached: int) -> NoReturn:
        if any(begin <= reached % DAY_SECONDS < end for begin, end in self._plans.open):
            self._plans.refuse_unknown(classes_told(self._calendar(day_of(reached))), day_of(reached))
        raise NoPrice(at=moment(reached).isoformat(), reason="此时没有收费时段")


def classes_told(told: str | Collection[str]) -> frozenset[str]:
    """What a calendar tells of a date, one class or several."""
    return frozenset((told,) if isinstance(told, str) else told)


def day_plan(bands: "Sequence[Band]", classes: frozenset[str], where: str, told: str = "") -> list[Segment]:
    """The bands of one day in order, as seconds since its midnight. Refuses two at once: BandsOverlap."""
    plan = sorted(
        (Segment(slot, band) for band in bands if band.applies_on(classes) for slot in band.window.slots()),
        key=lambda segment: segment.span,
    )
    for earlier, later in pairwise(plan):
        if later.span.begin < earlier.span.end:
            raise BandsOverlap(where, f"{told}时段{earlier.band.name}与{later.band.name}重叠")
    return plan


def first_gap(plan: Sequence[Segment]) -> str | None:
    """The clock time from which no band applies, if there is such a time."""
    gaps = _gaps(plan)
    return f"{gaps[0].begin // 3600:02d}:{gaps[0].begin // 60 % 60:02d}" if gaps else None


def _gaps(plan: Sequence[Segment]) -> list[Span]:
    return Span(0, DAY_SECONDS).without(segment.span for segment in plan)
