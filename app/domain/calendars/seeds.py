"""Official calendars of past years and this one out of the `chinesecalendar` package, for a first fill of the tables.

Only commands and tests import this; a request reads the tables. The package takes plain dates of
Hangzhou's calendar and raises NotImplementedError for a year that it does not know.
"""

from collections.abc import Mapping
from datetime import date
from typing import Final

import chinese_calendar

from app.domain.calendars.actions import load
from app.domain.calendars.models import CalendarVersion
from app.domain.calendars.rules import CalendarYearMissing, Day, DayKind, Status, days_of_year

SOURCE: Final = "国务院办公厅节假日安排通知（chinesecalendar 1.11.0）"
FIRST_YEAR: Final = 2004
LAST_YEAR: Final = 2026
HOLIDAY_NAMES: Final[Mapping[str, str]] = {
    "New Year's Day": "元旦",
    "Spring Festival": "春节",
    "Tomb-sweeping Day": "清明节",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午节",
    "National Day": "国庆节",
    "Mid-autumn Festival": "中秋节",
    "Anti-Fascist 70th Day": "抗战胜利70周年纪念日",
}


def official_year(year: int) -> list[Day]:
    """Every day of a year between FIRST_YEAR and LAST_YEAR."""
    return [official_day(of) for of in days_of_year(year)]


def official_day(of: date) -> Day:
    """One date of an official calendar. Refuses `CalendarYearMissing` before FIRST_YEAR and after LAST_YEAR.

    The package names make-up work days after their holiday too, so a name alone does not mean off.
    """
    if not FIRST_YEAR <= of.year <= LAST_YEAR:
        raise CalendarYearMissing(year=of.year)
    is_off, name = chinese_calendar.get_holiday_detail(of)
    kind = DayKind.DAYOFF if is_off else DayKind.WORKDAY
    return Day(of, kind, HOLIDAY_NAMES[name] if name else None, is_makeup=bool(name) and not is_off)


def seed(first_year: int = 2025, last_year: int = LAST_YEAR) -> list[CalendarVersion]:
    """Put the official calendars of these years in force."""
    years = range(first_year, last_year + 1)
    return [load(year, official_year(year), status=Status.OFFICIAL, source_doc=SOURCE) for year in years]
