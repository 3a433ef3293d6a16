"""A year's calendar as a person writes it into a table, and each fault by row and column in Chinese.

Columns 日期, 类型 (工作日 or 休息日), 节日 and 调休 (是 or 否); a date that is not listed is as the plain week has it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Final

from app.domain.calendars.rules import (
    FIXED_HOLIDAYS,
    LABOUR_DAY,
    NATIONAL_DAY,
    NEW_YEAR,
    SATURDAY,
    SPRING_FESTIVAL,
    Day,
    DayKind,
    Status,
    days_of_year,
)
from app.kernel.refusals import Invalid

DATE, KIND, HOLIDAY, MAKEUP = "日期", "类型", "节日", "调休"
KINDS: Final = {"工作日": DayKind.WORKDAY, "休息日": DayKind.DAYOFF}
YES_NO: Final = {"是": True, "否": False, "": False}
MOVING: Final = (SPRING_FESTIVAL, "清明节", "端午节")
"""Their dates differ from year to year: an official calendar names each. 中秋节 may lie within 国庆节, unnamed."""
HOLIDAYS: Final = frozenset({NEW_YEAR, LABOUR_DAY, NATIONAL_DAY, "中秋节", *MOVING})
SHORT_NAMES: Final = {name.removesuffix("节"): name for name in HOLIDAYS}

Row = tuple[int, Mapping[str, Any]]
"""The number of a row as the spreadsheet counts, and its cells by their headings."""


@dataclass(frozen=True)
class Fault:
    """What is wrong: the row (0: the whole file), the column's heading, and what to do."""

    row: int
    column: str
    message: str


class CalendarFileRefused(Invalid):
    """The table does not tell a year's calendar; details: `faults`, each with row, column and message."""

    code = "calendar_file_refused"
    message = "日历文件有误，未导入任何内容"

    @classmethod
    def for_(cls, faults: Iterable[Fault]) -> "CalendarFileRefused":
        return cls(faults=[asdict(fault) for fault in faults])


def read_year(year: int, headings: Sequence[str], rows: Iterable[Row], status: Status) -> list[Day]:
    """Every day of the year, the listed ones as told. Refuses `CalendarFileRefused` with every fault at once."""
    faults = [Fault(1, name, "缺少此列") for name in (DATE, KIND) if name not in headings]
    faults += [Fault(1, name, "没有此列") for name in headings if name not in {DATE, KIND, HOLIDAY, MAKEUP}]
    told: dict[date, Day] = {}
    for number, cells in rows if not faults else ():
        day = _day(year, number, cells, status, faults)
        if day is not None and day.date in told:
            faults.append(Fault(number, DATE, "日期重复"))
        elif day is not None:
            told[day.date] = day
    days = [told.get(of) or plain_day(of, status) for of in days_of_year(year)]
    if not faults:
        faults = _gaps(days, status)
    if faults:
        raise CalendarFileRefused.for_(faults)
    return days


def plain_day(of: date, status: Status) -> Day:
    """A date as the week has it: Monday to Friday are worked."""
    return Day(of, DayKind.DAYOFF if of.weekday() >= SATURDAY else DayKind.WORKDAY, status=status)


def _day(year: int, row: int, cells: Mapping[str, Any], status: Status, faults: list[Fault]) -> Day | None:
    before = len(faults)
    of, kind, makeup = _date(cells.get(DATE)), KINDS.get(_text(cells.get(KIND))), YES_NO.get(_text(cells.get(MAKEUP)))
    holiday = _holiday(_text(cells.get(HOLIDAY)))
    wrong = {
        DATE: (of is None, "应为日期，如 2027-01-01"),
        KIND: (kind is None, "应为：工作日、休息日"),
        MAKEUP: (makeup is None, "应为：是、否"),
        HOLIDAY: (holiday == "", f"应为：{'、'.join(sorted(HOLIDAYS))}，或以“纪念日”结尾"),
    }
    faults += [Fault(row, column, message) for column, (is_wrong, message) in wrong.items() if is_wrong]
    if of is not None and of.year != year:
        faults.append(Fault(row, DATE, f"不是{year}年的日期"))
    if of is None or kind is None or makeup is None or len(faults) > before:
        return None
    day = Day(of, kind, holiday, makeup, status)
    faults += [Fault(row, *fault) for fault in _contradictions(day)]
    return day


def _contradictions(day: Day) -> list[tuple[str, str]]:
    """What the week and the row say against each other: usually a slip of the pen."""
    works = day.kind is DayKind.WORKDAY
    told = {
        (MAKEUP, "休息日不能是调休上班日"): day.is_makeup and not works,
        (MAKEUP, "调休上班日应为周六或周日"): day.is_makeup and works and not day.is_weekend,
        (MAKEUP, "周六或周日上班须注明调休"): works and day.is_weekend and not day.is_makeup,
        (HOLIDAY, "周一至周五休息须写明节日"): not works and not day.is_weekend and day.holiday is None,
        (HOLIDAY, "只有休息日和调休上班日可写节日"): works and day.holiday is not None and not day.is_makeup,
    }
    return [fault for fault, is_so in told.items() if is_so]


def _gaps(days: Sequence[Day], status: Status) -> list[Fault]:
    """Statutory days that the file forgot; an official calendar has each of them off and by its name."""
    off = {(day.date.month, day.date.day): day for day in days if day.kind is DayKind.DAYOFF and day.holiday}
    faults = [
        Fault(0, DATE, f"缺少法定节假日：{month}月{day}日（{name}）")
        for (month, day), name in FIXED_HOLIDAYS.items()
        if (month, day) not in off
    ]
    named = {day.holiday for day in off.values()}
    if status is Status.OFFICIAL:
        faults += [Fault(0, HOLIDAY, f"缺少{name}") for name in MOVING if name not in named]
    return faults


def _holiday(words: str) -> str | None:
    """The holiday's full name, None for none, and an empty text for a name that nobody knows."""
    name = SHORT_NAMES.get(words, words)
    if not words:
        return None
    return name if name in HOLIDAYS or re.fullmatch(r"\S{2,20}纪念日", name) else ""


def _date(value: Any) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    found = re.fullmatch(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?", _text(value))
    try:
        return date(*(int(part) for part in found.groups())) if found else None
    except ValueError:
        return None


def _text(value: Any) -> str:
    """A spreadsheet's own truth is a word too."""
    if isinstance(value, bool):
        return "是" if value else "否"
    return "" if value is None else str(value).strip()
