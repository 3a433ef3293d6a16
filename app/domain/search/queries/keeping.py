"""The board of this process, kept fresh: rebuilt when it is cold, else brought up to date lot by lot.

Claims may be as old as the search allows. What presses - a closure, a suspension, a finding - may not: each search is
answered from a board that was held against the tables after the search came in, and searches that come in together
share one question.
"""

import threading
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import BigInteger, bindparam, func, select, text

from app.domain.calendars.models import CalendarVersion
from app.domain.calendars.queries import day_book
from app.domain.calendars.rules import DayBook
from app.domain.search.models import LotChange
from app.domain.search.queries.loading import load
from app.domain.search.rules.board import Board
from app.kernel import clock
from app.kernel.clock import business_day
from app.kernel.db import transaction

COLD: Final = timedelta(minutes=5)
"""A board that was not looked at for so long is built anew: changes are not kept for ever."""
DAYS_BACK, DAYS_AHEAD = timedelta(days=3), timedelta(days=75)


Calendars = tuple[int, ...]
"""The ids of the calendars in force."""


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

    def fresh(self, max_age: float) -> Board:
        """The board with every pressing change committed before this call, and claims of `max_age` seconds ago.

        One caller at a time looks or asks; whoever waited for it goes by the answer when it was asked late enough.
        """
        called = clock.steady()
        with self.alone:
            if self.board is None or called - max_age > self.looked:
                self._look()
            elif self.asked < called:
                self._ask()
            assert self.board is not None
            return self.board

    def forget(self) -> None:
        """Know nothing any more."""
        self.board = None

    def _ask(self) -> None:
        """Look again if something presses."""
        asked = clock.steady()
        if _pressing_since(self.seen) != self.pressing:
            self._look()
        self.asked = asked

    def _look(self) -> None:
        looked = clock.steady()
        with transaction() as session:
            session.execute(text("SET LOCAL statement_timeout = 30000"))
            now, seen, calendars = clock.now(), session.scalars(_OLDEST_RUNNING).one(), _calendars()
            pressing = _pressing_since(seen)
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


def _pressing_since(transaction_id: int) -> int:
    """How many pressing changes are committed that a look at this transaction may not have seen."""
    with transaction() as session:
        return session.scalars(_PRESSING, {"since": transaction_id}).one()


_PRESSING = select(func.count()).where(LotChange.is_pressing, LotChange.transaction_id >= bindparam("since"))


def _built(now: datetime) -> Board:
    board, known = Board(), load(None, now)
    board.put(known, known)
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


def fresh(max_age: float = 0.0) -> Board:
    """The public city, at most `max_age` seconds old."""
    return KEEPER.fresh(max_age)


def forget() -> None:
    """Let the next search build the board anew."""
    KEEPER.forget()


def days_around(first: date, last: date) -> DayBook:
    """The calendar that the board knows, or for far dates the tables' own."""
    book = KEEPER.book
    return book if book is not None and book.first <= first and last <= book.last else day_book(first, last)
