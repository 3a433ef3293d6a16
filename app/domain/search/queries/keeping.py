"""The board of this process, kept fresh: rebuilt when it is cold, else brought up to date lot by lot.

Claims may be as old as the search allows. What presses - a closure, a suspension, a finding - may not: each search is
answered from a board that was held against the tables after the search came in, and searches that come in together
share one question. Whoever must ask the database something anyway asks this along with it.
"""

import gc
import threading
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import BigInteger, bindparam, func, select, text

from app.domain.calendars.models import CalendarVersion
from app.domain.calendars.queries import day_book
from app.domain.calendars.rules import DayBook
from app.domain.search.models import LotChange
from app.domain.search.queries.loading import MANY, load
from app.domain.search.rules.board import Board
from app.kernel import clock
from app.kernel.clock import business_day
from app.kernel.db import transaction
from app.kernel.lookout import glimpse

COLD: Final = timedelta(minutes=5)
"""A board that was not looked at for so long is built anew: changes are not kept for ever."""
DAYS_BACK, DAYS_AHEAD = timedelta(days=3), timedelta(days=75)


Calendars = tuple[int, ...]
"""The ids of the calendars in force."""


class Age(NamedTuple):
    """How old what a search tells may be."""

    claims_seconds: float = 0.0
    came: float | None = None
    """The second of the steady clock from which on nothing that presses may be passed over; `None`: the call's own."""


NOW: Final = Age()


@dataclass
class Keeper:
    """One process's board: what it knows, since when, and up to which transaction."""

    board: Board | None = None
    book: DayBook | None = None
    moment: datetime | None = None
    """When it was looked at last, by the platform's clock."""
    looked: float = 0.0
    """The same by this machine's monotonic clock, to tell its age."""
    asked: float = 0.0
    """When the tables were asked last whether something presses, by the same clock."""
    seen: int = 0
    """All transactions before this one were over when it looked."""
    pressing: int = 0
    """How many pressing changes since then it has seen."""
    calendars: Calendars = ()
    alone: threading.Lock = field(default_factory=threading.Lock)

    def fresh(self, age: Age = NOW) -> Board:
        """The board as the tables stood when the caller came, but for claims, which may be older.

        One caller at a time looks or asks; whoever waited for it goes by the answer when it was asked late enough.
        """
        came = clock.steady() if age.came is None else age.came
        if self._shows(came, age):
            self._look_early(came - age.claims_seconds / 2)
        else:
            with self.alone:
                self._catch_up_with(came, age)
        assert self.board is not None
        return self.board

    def note(self, asked: float, seen: int, pressing: int) -> None:
        """Take note of an answer to `PRESSING` since the transaction `seen`, asked at a second of the steady clock.

        Unless it tells of news, the board is known to hold until then.
        """
        if (seen, pressing) == (self.seen, self.pressing) and asked > self.asked:
            self.asked = asked

    def forget(self) -> None:
        """Know nothing any more."""
        self.board = None

    def _shows(self, came: float, age: Age) -> bool:
        return self.board is not None and self.asked >= came and self.looked >= came - age.claims_seconds

    def _look_early(self, wanted: float) -> None:
        """Nobody need wait yet: one of many looks before all of them must, and meanwhile the others go on."""
        if self.looked < wanted and self.alone.acquire(blocking=False):
            try:
                self._look()
            finally:
                self.alone.release()

    def _catch_up_with(self, came: float, age: Age) -> None:
        if self.board is None or self.looked < came - age.claims_seconds:
            self._look()
        elif self.asked < came:
            self._ask()

    def _ask(self) -> None:
        """Look again if something presses."""
        asked, seen = clock.steady(), self.seen
        ((pressing,),) = glimpse(_WHETHER_PRESSING, {"since": seen})
        self.note(asked, seen, pressing)
        if self.asked < asked:
            self._look()

    def _look(self) -> None:
        looked = clock.steady()
        with transaction() as session:
            session.execute(text("SET LOCAL statement_timeout = 30000"))
            now, seen, calendars = clock.now(), session.scalars(_OLDEST_RUNNING).one(), _calendars()
            pressing = session.scalars(_WHETHER_PRESSING, {"since": seen}).one()
            if self.board is None or self._is_cold(now) or calendars != self.calendars:
                self.board, self.book = _built(now), _book(now)
            else:
                self._catch_up(self.board, now)
        self.moment, self.looked, self.asked, self.calendars = now, looked, looked, calendars
        self.seen, self.pressing = seen, pressing

    def _is_cold(self, now: datetime) -> bool:
        return self.moment is None or not timedelta() <= now - self.moment < COLD

    def _catch_up(self, board: Board, now: datetime) -> None:
        with transaction() as session:
            changed = session.scalars(select(LotChange.lot_id).where(LotChange.transaction_id >= self.seen).distinct())
            stale = {*changed, *board.stale(now)}
            if stale:
                board.put(stale, load(sorted(stale), now))


_OLDEST_RUNNING = select(func.txid_snapshot_xmin(func.txid_current_snapshot(), type_=BigInteger))


PRESSING: Final = (
    select(func.count()).where(LotChange.is_pressing, LotChange.transaction_id >= bindparam("since")).scalar_subquery()
)
"""How many pressing changes are committed that a look at the transaction `since` may not have seen."""
_WHETHER_PRESSING = select(PRESSING)


def _built(now: datetime) -> Board:
    board, known = Board(), load(None, now)
    board.put(known, known)
    if len(known) > MANY:
        gc.collect()
        gc.freeze()  # it lives long and holds no cycles: the collector need not go through it again and again
    return board


def _calendars() -> Calendars:
    """What changes when a calendar is loaded."""
    with transaction() as session:
        in_force = select(CalendarVersion.id).where(CalendarVersion.in_force).order_by(CalendarVersion.id)
        return tuple(session.scalars(in_force))


def _book(now: datetime) -> DayBook:
    today = business_day(now)
    return day_book(today - DAYS_BACK, today + DAYS_AHEAD)


KEEPER: Final = Keeper()
"""This process's."""


def fresh(age: Age = NOW) -> Board:
    """The public city, as old as that."""
    return KEEPER.fresh(age)


def forget() -> None:
    """Let the next search build the board anew."""
    KEEPER.forget()


def days_around(first: date, last: date) -> DayBook:
    """The calendar that the board knows, or for far dates the tables' own."""
    book = KEEPER.book
    return book if book is not None and book.first <= first and last <= book.last else day_book(first, last)
