"""Writing down when lots are open: whatever changed, the rows are made to say what follows from it now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select, text, update

from app.domain.calendars.queries import day_book
from app.domain.calendars.rules import DayBook
from app.domain.lots.models import Lot, OpenWindow
from app.domain.lots.queries import HORIZON, lots_short_of_windows
from app.domain.lots.queries.hours import (
    READINGS,
    HoursOf,
    PlanTurn,
    calendars_in_force,
    closures_of,
    hours_of,
    written_windows,
)
from app.domain.lots.rules import DayKinds, OfficeHours, Span, open_windows_in_turn, without
from app.domain.lots.rules.changes import WindowChanges, changes
from app.domain.lots.rules.hours import office_hours, readings_of
from app.kernel import clock
from app.kernel.clock import SHANGHAI, business_day
from app.kernel.db import current, refusing, transaction
from app.kernel.refusals import Conflict

AROUND: Final = timedelta(days=7)
"""Days beside the horizon on which a window's edges may hang."""


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

    What is over stays as it is, the evidence of when a lot was open (N2.2.1).
    """
    with transaction() as session:
        session.execute(select(Lot.id).where(Lot.id.in_(lot_ids)).order_by(Lot.id).with_for_update(key_share=True))
        until = _midnight(clock.now() + HORIZON)
        count = _write(lot_ids, clock.now(), until)
        session.execute(
            update(Lot)
            .where(Lot.id.in_(lot_ids), Lot.windows_until.is_distinct_from(until))
            .values(windows_until=until)
            .execution_options(synchronize_session=False)
        )
        return count


def _write(lot_ids: Sequence[int], now: datetime, until: datetime) -> int:
    written, closures = written_windows(lot_ids, now), closures_of(lot_ids, now)
    almanac, pen = _Almanac.between(_midnight(now), until), _Pen(calendars_in_force())
    for lot in hours_of(lot_ids):
        since = now if written.get(lot.lot_id) else _midnight(now)
        spans = almanac.spans(lot, since, until) if lot.is_public else []
        wanted = without(spans, closures.get(lot.lot_id, ()))
        pen.note(lot, changes(written.get(lot.lot_id, []), wanted, since))
    pen.write()
    return pen.count


@dataclass
class _Almanac:
    """The kinds of days around the horizon; hours that many lots share are worked out once."""

    books: Mapping[bool, DayKinds]
    known: dict[tuple[object, ...], list[Span]] = field(default_factory=dict)

    @classmethod
    def between(cls, begin: datetime, end: datetime) -> "_Almanac":
        book = day_book(business_day(begin) - AROUND, business_day(end) + AROUND)
        return cls({True: _kinds(book, book.kind), False: _kinds(book, book.kind_with_makeup_days_off)})

    def spans(self, lot: HoursOf, begin: datetime, end: datetime) -> list[Span]:
        turns = _that_count(lot.turns, begin, end)
        rule = (lot.office, tuple((turn.since, repr(turn.hours)) for turn in turns), lot.numbers, begin, end)
        if rule not in self.known:
            numbers = dict(zip(READINGS, lot.numbers, strict=True))
            days = self.books[bool(numbers["makeup_days_are_worked"])]
            self.known[rule] = open_windows_in_turn(_offices(lot, turns, numbers), days, begin, end)
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


class _Pen:
    """Gathers what must be written for all lots, and writes it in four statements, in the order that `changes` asks."""

    def __init__(self, calendars: Mapping[int, int]) -> None:
        self.calendars, self.count = calendars, 0
        self.removed: list[int] = []
        self.shrunk, self.grown, self.added = _Lines(), _Lines(), _Lines()

    def note(self, lot: HoursOf, found: WindowChanges) -> None:
        self.count += len(found)
        self.removed += found.removed
        for lines, told in ((self.shrunk, found.shrunk), (self.grown, found.grown)):
            for row, each in told:
                self._line(lines, lot, row, each)
        for each in found.added:
            self._line(self.added, lot, lot.lot_id, each)

    def _line(self, lines: "_Lines", lot: HoursOf, row: int, each: Span) -> None:
        years = each.begins_at.astimezone(SHANGHAI).year, (each.ends_at - MOMENT).astimezone(SHANGHAI).year
        lines.rows.append(row)
        lines.begins.append(each.begins_at)
        lines.ends.append(each.ends_at)
        lines.plans.append(_plan_at(lot, each.begins_at))
        lines.first.append(self.calendars.get(years[0]))
        lines.last.append(self.calendars.get(years[1]) if years[1] != years[0] else None)

    def write(self) -> None:
        session = current()
        if self.removed:
            session.execute(
                delete(OpenWindow).where(OpenWindow.id.in_(self.removed)).execution_options(synchronize_session=False)
            )
        for statement, lines in ((_CHANGE, self.shrunk), (_CHANGE, self.grown), (_ADD, self.added)):
            if lines.rows:
                session.execute(statement, vars(lines))


@dataclass
class _Lines:
    """Windows as columns; `rows` are ids of windows, of their lots when they are new."""

    rows: list[int] = field(default_factory=list)
    begins: list[datetime] = field(default_factory=list)
    ends: list[datetime] = field(default_factory=list)
    plans: list[int | None] = field(default_factory=list)
    first: list[int | None] = field(default_factory=list)
    last: list[int | None] = field(default_factory=list)


MOMENT: Final = timedelta(microseconds=1)
_CHANGE: Final = text("""
UPDATE open_window
SET during = tstzrange(begins_at, ends_at), plan_id = plan, calendar_ids = array_remove(ARRAY[opening, closing], NULL)
FROM unnest(CAST(:rows AS bigint[]), CAST(:begins AS timestamptz[]), CAST(:ends AS timestamptz[]),
            CAST(:plans AS bigint[]), CAST(:first AS bigint[]), CAST(:last AS bigint[]))
    AS told (row_id, begins_at, ends_at, plan, opening, closing)
WHERE open_window.id = row_id
""")
_ADD: Final = text("""
INSERT INTO open_window (lot_id, during, plan_id, calendar_ids)
SELECT row_id, tstzrange(begins_at, ends_at), plan, array_remove(ARRAY[opening, closing], NULL)
FROM unnest(CAST(:rows AS bigint[]), CAST(:begins AS timestamptz[]), CAST(:ends AS timestamptz[]),
            CAST(:plans AS bigint[]), CAST(:first AS bigint[]), CAST(:last AS bigint[]))
    AS told (row_id, begins_at, ends_at, plan, opening, closing)
""")
"""`rows` are windows where one changes, and lots where one is new."""


def _plan_at(lot: HoursOf, at: datetime) -> int | None:
    """The plan that counted at a moment, the first one for what lies before all of them."""
    counted = [turn.plan_id for turn in lot.turns if turn.since <= at] or [turn.plan_id for turn in lot.turns[:1]]
    return counted[-1] if counted else None


def _midnight(at: datetime) -> datetime:
    return at.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)


def keep_promises() -> None:
    """Ask at once, not only at the commit, whether every promise still lies in a window. Refuses `PromisesStand`."""
    names = "a_window_keeps_its_promises, a_shrunk_window_keeps_its_promises"
    with refusing({"a_window_keeps_its_promises": PromisesStand}) as session:
        session.execute(text(f"SET CONSTRAINTS {names} IMMEDIATE"))
    current().execute(text(f"SET CONSTRAINTS {names} DEFERRED"))


def extend_windows(limit: int = 500) -> int:
    """Write windows for lots whose written ones end too soon; returns for how many."""
    short = lots_short_of_windows(limit)
    if short:
        rewrite_windows(short)
    return len(short)
