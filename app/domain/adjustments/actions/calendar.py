"""A year's official calendar comes into force: windows follow it, and reservations that lose theirs are cared for."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from app.domain.adjustments.actions.record import TAKES_THE_PUBLIC, Change, ask_to_apply, record
from app.domain.adjustments.models import Adjustment
from app.domain.adjustments.rules import Where, Why, checked_span
from app.domain.calendars.actions import load_year
from app.domain.calendars.rules import Day, Status
from app.domain.lots.models import Lot
from app.domain.staff.rules import CITY, Actor, permit
from app.kernel import clock
from app.kernel.clock import SHANGHAI
from app.kernel.db import current, transaction
from app.kernel.files import Paper
from app.kernel.refusals import Conflict
from app.kernel.spans import span


class CalendarInForce(Conflict):
    """The very calendar is in force already; windows follow it."""

    code = "calendar_in_force"
    message = "该日历已在执行，未作任何更改"


def apply_calendar(
    by: Actor, year: int, days: Sequence[Day], *, source_doc: str, paper: Paper | None = None
) -> Adjustment:  # fmt: skip
    """Put a year's official calendar in force and let every lot's windows follow, in jobs of their own.

    A reservation that lies in no window any more is displaced as by any adjustment: told, offered a bay near by, free
    of penalty; `queries.affected` lists them. Refuses `IncompleteCalendar`, `FileRefused`, `NotPermitted`,
    `SpanOver` for a year that is over, and `CalendarInForce` when the same was loaded before.
    """
    with transaction():
        permit(by, "adjustments.apply_calendar", CITY)
        now = clock.now()
        during = checked_span(span(now, datetime(year + 1, 1, 1, tzinfo=SHANGHAI)), now)
        loaded = load_year(
            by, year, days, status=Status.OFFICIAL, source_doc=source_doc, paper=paper,
            on_loaded="pricing.prove_outdated",
        )  # fmt: skip
        if not loaded.is_new:
            raise CalendarInForce(year=year)
        why = Why("calendar", source_doc, f"{year}年节假日安排已公布，共享开放时段按新日历调整。")
        made = record(by, Change("calendar", Where.city(), during, why), _lots(), None)
        ask_to_apply(made.adjustment.id, made.lot_ids)
        return made.adjustment


def _lots() -> Sequence[int]:
    return current().scalars(select(Lot.id).where(Lot.state.in_(TAKES_THE_PUBLIC)).order_by(Lot.id)).all()
