"""When a lot is open to the public (共享开放时段): the notice's window N2.2.1, derived from office hours and day kinds.

On work days from one hour after work ends to one hour before the next work day starts, on days off all day. Said
the other way round: closed is only the span around each work day's office hours, and everything else is open.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final, NamedTuple

from app.domain.calendars.rules import DayKind
from app.kernel.clock import SHANGHAI
from app.kernel.refusals import Invalid

DayKinds = Callable[[date], DayKind]
ONE_DAY: Final = timedelta(days=1)
HORIZON: Final = timedelta(days=31)
"""How far ahead an opening or closing is looked for; the longest holiday is shorter."""


class Span(NamedTuple):
    """Half-open [begins_at, ends_at), aware."""

    begins_at: datetime
    ends_at: datetime

    def holds(self, at: datetime) -> bool:
        return self.begins_at <= at < self.ends_at

    def covers(self, other: "Span") -> bool:
        return self.begins_at <= other.begins_at and other.ends_at <= self.ends_at


class HoursMakeNoSense(Invalid):
    """Office hours begin and end at the same time."""

    code = "hours_make_no_sense"
    message = "上班时间与下班时间不能相同"


@dataclass(frozen=True)
class Hours:
    """Work from `begins` to `ends`, clock times of Hangzhou; an end that is earlier lies on the next day."""

    begins: time
    ends: time

    def __post_init__(self) -> None:
        if self.begins == self.ends:
            raise HoursMakeNoSense

    def on(self, day: date) -> Span:
        last = day + ONE_DAY if self.ends < self.begins else day
        return Span(_at(day, self.begins), _at(last, self.ends))


@dataclass(frozen=True)
class Readings:
    """What N2.2.1 leaves open, each a setting with its default."""

    closes_before: timedelta = timedelta(hours=1)
    opens_after: timedelta = timedelta(hours=1)
    morning_after_a_day_off_is_open: bool = True
    evening_before_a_day_off_is_open: bool = True


DEFAULT_READINGS: Final = Readings()


@dataclass(frozen=True)
class OfficeHours:
    """A unit's own hours: on work days, on weekdays it works though others rest (0 = Monday), and on single dates.

    A date in `exceptions` wins over everything; None there means that nobody works.
    """

    usual: Hours
    on_days_off: Mapping[int, Hours] = field(default_factory=dict)
    exceptions: Mapping[date, Hours | None] = field(default_factory=dict)
    readings: Readings = DEFAULT_READINGS

    def of(self, day: date, kind: DayKind) -> Hours | None:
        """The hours worked on a date, or None when nobody works."""
        if day in self.exceptions:
            return self.exceptions[day]
        return self.usual if kind is DayKind.WORKDAY else self.on_days_off.get(day.weekday())


def open_windows(office: OfficeHours, day_kind: DayKinds, begin: datetime, end: datetime) -> list[Span]:
    """The maximal open spans within [begin, end), in order; two of them never touch."""
    windows, open_from = [], begin
    for closed in _closed_spans(office, day_kind, begin, end):
        if open_from < min(closed.begins_at, end):
            windows.append(Span(open_from, min(closed.begins_at, end)))
        open_from = max(open_from, closed.ends_at)
    if open_from < end:
        windows.append(Span(open_from, end))
    return windows


def _closed_spans(office: OfficeHours, day_kind: DayKinds, begin: datetime, end: datetime) -> Iterator[Span]:
    """In order of their begin; days around are looked at, since hours and their margins may cross midnight."""
    first, last = _day(begin) - 2 * ONE_DAY, _day(end) + 2 * ONE_DAY
    spans = (_closed_on(office, day_kind, first + n * ONE_DAY) for n in range((last - first).days + 1))
    return iter(sorted(span for span in spans if span is not None))


def _closed_on(office: OfficeHours, day_kind: DayKinds, day: date) -> Span | None:
    hours = office.of(day, day_kind(day))
    if hours is None:
        return None
    work, readings = hours.on(day), office.readings
    begins_at, ends_at = work.begins_at - readings.closes_before, work.ends_at + readings.opens_after
    if not readings.morning_after_a_day_off_is_open and not _works(office, day_kind, day - ONE_DAY):
        begins_at = min(begins_at, _at(day, time()))
    if not readings.evening_before_a_day_off_is_open and not _works(office, day_kind, day + ONE_DAY):
        ends_at = max(ends_at, _at(day + ONE_DAY, time()))
    return Span(begins_at, ends_at)


def _works(office: OfficeHours, day_kind: DayKinds, day: date) -> bool:
    return office.of(day, day_kind(day)) is not None


def is_open(office: OfficeHours, day_kind: DayKinds, at: datetime) -> bool:
    """Whether the lot is open to the public at a moment."""
    return bool(open_windows(office, day_kind, at, at + timedelta(microseconds=1)))


def next_opening(office: OfficeHours, day_kind: DayKinds, at: datetime) -> datetime | None:
    """The first open moment from `at` on, `at` itself when open; None when none lies within the HORIZON."""
    return next((window.begins_at for window in open_windows(office, day_kind, at, at + HORIZON)), None)


def closing_after(office: OfficeHours, day_kind: DayKinds, at: datetime) -> datetime | None:
    """When a car that enters at `at` must have left, at most the HORIZON later; None when closed.

    A stay that begins on Friday evening ends one hour before the next *work day* starts.
    """
    window = next(iter(open_windows(office, day_kind, at, at + HORIZON)), None)
    return window.ends_at if window is not None and window.holds(at) else None


def today_text(office: OfficeHours, day_kind: DayKinds, at: datetime, *, is_provisional: bool = False) -> str:
    """The open hours of the day of `at`, such as `00:00-08:00、18:30-24:00`; a provisional day is marked 暂定."""
    midnight = _at(_day(at), time())
    windows = open_windows(office, day_kind, midnight, midnight + ONE_DAY)
    if windows == [Span(midnight, midnight + ONE_DAY)]:
        text = "全天开放"
    else:
        text = "、".join(_clock_text(window, midnight) for window in windows) or "今日不开放"
    return f"{text}（暂定）" if is_provisional else text


def _clock_text(window: Span, midnight: datetime) -> str:
    ends = "24:00" if window.ends_at == midnight + ONE_DAY else f"{window.ends_at.astimezone(SHANGHAI):%H:%M}"
    return f"{window.begins_at.astimezone(SHANGHAI):%H:%M}-{ends}"


def _day(at: datetime) -> date:
    return at.astimezone(SHANGHAI).date()


def _at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, SHANGHAI)


def open_windows_in_turn(
    turns: Sequence[tuple[datetime, OfficeHours]], day_kind: DayKinds, begin: datetime, end: datetime
) -> list[Span]:
    """The same, when hours change at known moments: each holds from its moment to the next one's.

    The first holds from the beginning on, whatever its own moment. Spans that touch where hours change are one.
    """
    windows: list[Span] = []
    for place, (since, office) in enumerate(turns):
        first = begin if place == 0 else max(begin, since)
        last = min(end, turns[place + 1][0]) if place + 1 < len(turns) else end
        if first < last:
            windows += open_windows(office, day_kind, first, last)
    return joined(windows)


def joined(spans: Iterable[Span]) -> list[Span]:
    """The same moments as maximal spans in order: what overlaps or touches becomes one."""
    found: list[Span] = []
    for each in sorted(spans):
        if found and each.begins_at <= found[-1].ends_at:
            found[-1] = Span(found[-1].begins_at, max(found[-1].ends_at, each.ends_at))
        else:
            found.append(each)
    return found


def without(spans: Sequence[Span], closures: Iterable[Span]) -> list[Span]:
    """What is left of ordered spans when closures are taken out of them."""
    left = list(spans)
    for closure in closures:
        left = [part for each in left for part in _cut(each, closure)]
    return left


def _cut(each: Span, closure: Span) -> Iterator[Span]:
    parts = (
        Span(each.begins_at, min(each.ends_at, closure.begins_at)),
        Span(max(each.begins_at, closure.ends_at), each.ends_at),
    )
    return (part for part in parts if part.begins_at < part.ends_at)


@dataclass(frozen=True)
class Curfew:
    """Clock times between which no car may move (禁止进出时段), such as 22:00-06:00; who stands inside may stay."""

    begins: time
    ends: time

    def holds(self, at: datetime) -> bool:
        """Whether no car may move at a moment; the end itself is free again."""
        clock = at.astimezone(SHANGHAI).time()
        if self.begins < self.ends:
            return self.begins <= clock < self.ends
        return clock >= self.begins or clock < self.ends

    def forbids(self, begins_at: datetime, ends_at: datetime) -> bool:
        """Whether a stay would begin or end while no car may move; it may last through that time."""
        return self.holds(begins_at) or (self.holds(ends_at) and self.holds(ends_at - timedelta(microseconds=1)))
