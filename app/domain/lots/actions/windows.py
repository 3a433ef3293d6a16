"""Writing down when lots are open: whatever changed, the rows are made to say what follows from it now."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import CursorResult, TextClause, select, text, update

from app.domain.calendars.queries import day_book
from app.domain.calendars.rules import DayBook
from app.domain.lots.actions.differences import DIFFERENCES, ONLY_ADD, needed
from app.domain.lots.models import Lot
from app.domain.lots.queries import HORIZON, lots_short_of_windows
from app.domain.lots.queries.hours import (
    READINGS,
    HoursOf,
    PlanTurn,
    calendars_in_force,
    closures_of,
    hours_of,
)
from app.domain.lots.rules import DayKinds, OfficeHours, Span, open_windows_in_turn, without
from app.domain.lots.rules.hours import office_hours, readings_of
from app.kernel import clock
from app.kernel.clock import SHANGHAI, business_day
from app.kernel.db import current, refusing, transaction
from app.kernel.refusals import Conflict

AROUND: Final = timedelta(days=7)
"""Days beside the horizon on which a window's edges may hang."""

AT_ONCE: Final = 1_000
"""So many lots are written by one statement, which stays far below the time that a statement may take."""

FEW: Final = 50
MOMENT: Final = timedelta(microseconds=1)


class PromisesStand(Conflict):
    """Reservations lie in spans that would no longer be open: the change must hold from a later moment."""

    code = "promises_stand"
    message = "已有预约落在将不再开放的时段内，请改为更晚生效，或先按动态调整办理"


def write_windows(lot_id: int) -> None:
    """Write the lot's open windows anew from now to the horizon; nothing is written where nothing changes.

    The table refuses at the commit when a promised span would no longer be open: whoever narrows windows moves or
    displaces the promises in the same transaction.
    """
    rewrite_windows([lot_id])


def rewrite_windows(lot_ids: Sequence[int]) -> int:
    """The same for many lots at once; returns how many windows were written, changed or taken away.

    What is over stays as it is, the evidence of when a lot was open (N2.2.1). Spans are worked out once for all lots
    that keep the same hours, and the tables themselves find out what differs: no window passes through this process.
    """
    with transaction() as session:
        session.execute(select(Lot.id).where(Lot.id.in_(lot_ids)).order_by(Lot.id).with_for_update(key_share=True))
        until = _midnight(clock.now() + HORIZON)
        almanac = _Almanac.between(_midnight(clock.now()), until)
        count = sum(_rewrite(lot_ids[place : place + AT_ONCE], almanac) for place in range(0, len(lot_ids), AT_ONCE))
        session.execute(
            update(Lot)
            .where(Lot.id.in_(lot_ids), Lot.windows_until.is_distinct_from(until))
            .values(windows_until=until)
            .execution_options(synchronize_session=False)
        )
        return count


def _rewrite(lot_ids: Sequence[int], almanac: "_Almanac") -> int:
    sheet, closures, now = _Sheet(calendars_in_force()), closures_of(lot_ids, clock.now()), clock.now()
    for lot in hours_of(lot_ids):
        sheet.note(lot, now if lot.has_windows else almanac.begin, almanac, closures.get(lot.lot_id, ()))
    told = sheet.columns()
    with _joined_by_hash(len(lot_ids) > FEW):
        return _affected(ONLY_ADD, told) or _changed(told)


def _changed(told: Mapping[str, list[Any]]) -> int:
    has_idle, has_missing = current().execute(DIFFERENCES, told).one()
    return sum(_affected(statement, told) for statement in needed(has_idle, has_missing))


@contextmanager
def _joined_by_hash(is_so: bool) -> Iterator[None]:
    """The planner cannot know how long a column is that it is handed, and takes all for short ones."""
    session = current()
    if is_so:
        session.execute(text("SET LOCAL enable_nestloop = off"))
    yield
    if is_so:
        session.execute(text("SET LOCAL enable_nestloop = on"))


def _affected(statement: TextClause, told: Mapping[str, list[Any]]) -> int:
    result = current().execute(statement, told)
    assert isinstance(result, CursorResult)
    return result.rowcount


@dataclass
class _Almanac:
    """The kinds of days around the horizon; hours that many lots share are worked out once."""

    begin: datetime
    end: datetime
    books: Mapping[bool, DayKinds]
    known: dict[tuple[object, ...], list[Span]] = field(default_factory=dict)

    @classmethod
    def between(cls, begin: datetime, end: datetime) -> "_Almanac":
        book = day_book(business_day(begin) - AROUND, business_day(end) + AROUND)
        return cls(begin, end, {True: _kinds(book, book.kind), False: _kinds(book, book.kind_with_makeup_days_off)})

    def rule(self, lot: HoursOf, turns: Sequence[PlanTurn]) -> tuple[object, ...]:
        """What a lot's spans hang on; lots of one rule are open alike."""
        return lot.is_public, lot.office, lot.numbers, tuple((turn.since, repr(turn.hours)) for turn in turns)

    def spans(self, lot: HoursOf, turns: Sequence[PlanTurn]) -> list[Span]:
        rule = self.rule(lot, turns)
        if rule not in self.known:
            numbers = dict(zip(READINGS, lot.numbers, strict=True))
            days = self.books[bool(numbers["makeup_days_are_worked"])]
            offices = _offices(lot, turns, numbers)
            self.known[rule] = open_windows_in_turn(offices, days, self.begin, self.end) if lot.is_public else []
        return self.known[rule]


def _that_count(turns: Sequence[PlanTurn], begin: datetime, end: datetime) -> list[PlanTurn]:
    """The plans on which [begin, end) hangs; the first holds from the beginning, so that lots alike look alike."""
    running = [turn for turn in turns if turn.since <= begin][-1:]
    kept = [*running, *(turn for turn in turns if begin < turn.since < end)] or list(turns[:1])
    return [replace(kept[0], since=begin), *kept[1:]] if kept else []


def _kinds(book: DayBook, kind: DayKinds) -> DayKinds:
    days = (book.last - book.first).days + 1
    return {day: kind(day) for day in (book.first + timedelta(days=place) for place in range(days))}.__getitem__


def _offices(
    lot: HoursOf, turns: Sequence[PlanTurn], numbers: Mapping[str, int]
) -> list[tuple[datetime, OfficeHours]]:  # fmt: skip
    city = readings_of(numbers)
    told = [(turn.since, office_hours(*lot.office, turn.hours, city)) for turn in turns]
    return told or [(clock.now(), office_hours(*lot.office, None, city))]


class _Sheet:
    """What all lots want, as columns: each lot with its rule, and each rule with its spans.

    A lot that is closed for a while, or whose plan changes, has a rule of its own.
    """

    def __init__(self, calendars: Mapping[int, int]) -> None:
        self.calendars = calendars
        self.rules: dict[tuple[object, ...], int] = {}
        self.lots: list[tuple[int, int, int | None, datetime]] = []
        self.spans: list[tuple[int, int | None, datetime, datetime, int | None, int | None]] = []

    def note(self, lot: HoursOf, since: datetime, almanac: _Almanac, closures: Sequence[Span]) -> None:
        turns = _that_count(lot.turns, almanac.begin, almanac.end)
        alone = bool(closures) or len(turns) > 1
        rule = (lot.lot_id,) if alone else almanac.rule(lot, turns)
        if rule not in self.rules:
            self.rules[rule] = len(self.rules)
            for each in without(almanac.spans(lot, turns), closures):
                self._span(self.rules[rule], _plan_at(lot, each.begins_at) if alone else None, each)
        self.lots.append((lot.lot_id, self.rules[rule], _plan_at(lot, since), since))

    def _span(self, rule: int, plan_id: int | None, each: Span) -> None:
        first, last = each.begins_at.astimezone(SHANGHAI).year, (each.ends_at - MOMENT).astimezone(SHANGHAI).year
        closing = self.calendars.get(last) if last != first else None
        self.spans.append((rule, plan_id, each.begins_at, each.ends_at, self.calendars.get(first), closing))

    def columns(self) -> dict[str, list[Any]]:
        lots = dict(zip(("lots", "rules", "plans", "since"), _columns(self.lots, 4), strict=True))
        names = ("of_rules", "by_plans", "begins", "ends", "first", "last")
        return lots | dict(zip(names, _columns(self.spans, len(names)), strict=True))


def _columns(rows: Sequence[tuple[Any, ...]], count: int) -> list[list[Any]]:
    return [[row[place] for row in rows] for place in range(count)]


def _plan_at(lot: HoursOf, at: datetime) -> int | None:
    """The plan that counted at a moment, the first one for what lies before all of them."""
    counted = [turn.plan_id for turn in lot.turns if turn.since <= at] or [turn.plan_id for turn in lot.turns[:1]]
    return counted[-1] if counted else None


def _midnight(at: datetime) -> datetime:
    return at.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)


def keep_promises() -> None:
    """Ask at once, not only at the commit, whether every promise still lies in a window. Refuses `PromisesStand`."""
    with refusing({"a_window_keeps_its_promises": PromisesStand}) as session:
        session.execute(text("SET CONSTRAINTS a_window_keeps_its_promises IMMEDIATE"))
    current().execute(text("SET CONSTRAINTS a_window_keeps_its_promises DEFERRED"))


def extend_windows(limit: int = 500) -> int:
    """Write windows for lots whose written ones end too soon; returns for how many."""
    short = lots_short_of_windows(limit)
    if short:
        rewrite_windows(short)
    return len(short)
