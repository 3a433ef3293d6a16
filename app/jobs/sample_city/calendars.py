"""The work-day calendars that the city needs."""

from datetime import timedelta

from app.domain.calendars.actions import load
from app.domain.calendars.queries import version_in_force
from app.domain.calendars.rules import Status, provisional_year
from app.domain.calendars.seeds import LAST_YEAR, SOURCE, official_year
from app.domain.lots.queries import HORIZON
from app.kernel import clock
from app.kernel.clock import business_day

FIRST_YEAR = 2025
MARGIN = timedelta(days=31)
PROVISIONAL_SOURCE = "按星期与固定节日推算（暂定，待国务院办公厅通知）"


def know_calendars() -> None:
    """Official years as far as they are known, then provisional ones as far as windows are written.

    A year that has a calendar in force keeps it.
    """
    now = clock.now()
    first, last = business_day(now - MARGIN).year, business_day(now + HORIZON + MARGIN).year
    for year in range(min(first, FIRST_YEAR), max(last, LAST_YEAR) + 1):
        if version_in_force(year) is None:
            _load(year)


def _load(year: int) -> None:
    if year <= LAST_YEAR:
        load(year, official_year(year), status=Status.OFFICIAL, source_doc=SOURCE)
    else:
        load(year, provisional_year(year), status=Status.PROVISIONAL, source_doc=PROVISIONAL_SOURCE)
