"""A year's calendar as people write it into a table."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from app.domain.calendars.rules import Day, DayKind, Status
from app.domain.calendars.seeds import official_year
from app.domain.calendars.sheets import CalendarFileRefused, plain_day, read_year
from app.jobs.calendar_files import rows_of

HEADINGS = ["日期", "类型", "节日", "调休"]
WORDS = {DayKind.WORKDAY: "工作日", DayKind.DAYOFF: "休息日"}


def exceptions(year: int) -> list[list[str]]:
    """The days of an official year that differ from the plain week, as a person would list them."""
    return [line(day) for day in official_year(year) if day != plain_day(day.date, Status.OFFICIAL)]


def line(day: Day) -> list[str]:
    return [str(day.date), WORDS[day.kind], day.holiday or "", "是" if day.is_makeup else "否"]


def read(lines: list[list[Any]], year: int = 2026, status: Status = Status.OFFICIAL) -> list[Day]:
    rows = [(row, dict(zip(HEADINGS, each, strict=True))) for row, each in enumerate(lines, 2)]
    return read_year(year, HEADINGS, rows, status)


def faults(lines: list[list[Any]], year: int = 2026, status: Status = Status.OFFICIAL) -> list[tuple[int, str, str]]:
    with pytest.raises(CalendarFileRefused) as refusal:
        read(lines, year, status)
    return [(fault["row"], fault["column"], fault["message"]) for fault in refusal.value.details["faults"]]


@pytest.mark.parametrize("year", range(2019, 2027))
def test_the_days_that_differ_from_the_week_tell_the_whole_year(year: int) -> None:
    assert read(exceptions(year), year) == official_year(year)


def test_every_day_may_be_listed() -> None:
    assert read([line(day) for day in official_year(2026)]) == official_year(2026)


def test_a_provisional_year_needs_the_fixed_days_only() -> None:
    named = {"元旦": ["01-01"], "劳动": ["05-01", "05-02"], "国庆节": ["10-01", "10-02", "10-03"]}
    fixed = [[f"2027-{of}", "休息日", name, ""] for name, dates in named.items() for of in dates]
    days = read(fixed, 2027, Status.PROVISIONAL)
    assert {day.status for day in days} == {Status.PROVISIONAL}
    assert (0, "节日", "缺少春节") in faults(fixed, 2027)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (["2026-06-31", "工作日", "", ""], ("日期", "应为日期，如 2027-01-01")),
        (["soon", "工作日", "", ""], ("日期", "应为日期，如 2027-01-01")),
        (["", "工作日", "", ""], ("日期", "应为日期，如 2027-01-01")),
        (["2027-06-03", "工作日", "", ""], ("日期", "不是2026年的日期")),
        (["2026-01-01", "休息日", "元旦", ""], ("日期", "日期重复")),
        (["2026-06-03", "上班", "", ""], ("类型", "应为：工作日、休息日")),
        (["2026-06-03", "工作日", "", "也许"], ("调休", "应为：是、否")),
        (["2026-06-06", "休息日", "", "是"], ("调休", "休息日不能是调休上班日")),
        (["2026-06-03", "工作日", "", "是"], ("调休", "调休上班日应为周六或周日")),
        (["2026-06-06", "工作日", "", "否"], ("调休", "周六或周日上班须注明调休")),
        (["2026-06-03", "休息日", "", "否"], ("节日", "周一至周五休息须写明节日")),
        (["2026-06-03", "工作日", "春节", "否"], ("节日", "只有休息日和调休上班日可写节日")),
    ],
)
def test_a_fault_names_its_row_and_column(wrong: list[str], told: tuple[str, str]) -> None:
    lines = exceptions(2026)
    assert faults([*lines, wrong]) == [(len(lines) + 2, *told)]


def test_a_holiday_that_nobody_knows_is_a_fault_and_a_day_of_remembrance_is_not() -> None:
    lines = exceptions(2026)
    ((row, column, message),) = faults([*lines, ["2026-06-03", "休息日", "春结", ""]])
    assert (row, column) == (len(lines) + 2, "节日")
    assert "春节" in message
    assert read([*lines, ["2026-09-03", "休息日", "抗战胜利70周年纪念日", ""]])[245].holiday == "抗战胜利70周年纪念日"


def test_all_faults_are_told_at_once() -> None:
    lines = [["soon", "上班", "", ""], ["2027-01-01", "休息日", "元旦", ""]]
    assert [(row, column) for row, column, _ in faults(lines)] == [(2, "日期"), (2, "类型"), (3, "日期")]


def test_an_empty_table_is_no_official_calendar() -> None:
    assert len(faults([])) == 9


def test_a_missing_and_an_unknown_column_are_faults() -> None:
    with pytest.raises(CalendarFileRefused) as refusal:
        read_year(2026, ["日期", "星期"], [], Status.OFFICIAL)
    assert [fault["message"] for fault in refusal.value.details["faults"]] == ["缺少此列", "没有此列"]


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日"])
def test_a_date_is_read_as_people_write_it(form: str) -> None:
    lines = [[date.fromisoformat(each[0]).strftime(form), *each[1:]] for each in exceptions(2026)]
    assert read(lines) == official_year(2026)


@given(st.lists(st.tuples(st.text(max_size=12), st.text(max_size=5), st.text(max_size=5), st.text(max_size=3))))
def test_nonsense_is_refused_and_never_a_crash(lines: list[tuple[str, ...]]) -> None:
    assert faults([list(each) for each in lines])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_is_read_as_spreadsheets_write_it(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "2026.csv"
    lines = [HEADINGS, *exceptions(2026), ["", "", "", ""]]
    file.write_text("\r\n".join(",".join(each) for each in lines), encoding=encoding)
    assert read_year(2026, *rows_of(file), Status.OFFICIAL) == official_year(2026)


def test_a_workbook_with_real_dates_is_read(tmp_path: Path) -> None:
    file = tmp_path / "2026.xlsx"
    with xlsxwriter.Workbook(str(file)) as workbook:
        sheet, form = workbook.add_worksheet(), workbook.add_format({"num_format": "yyyy-mm-dd"})
        sheet.write_row(0, 0, HEADINGS)
        for row, (of, *others) in enumerate(exceptions(2026), 1):
            sheet.write_datetime(row, 0, datetime.fromisoformat(of), form)
            sheet.write_row(row, 1, others)
    assert read_year(2026, *rows_of(file), Status.OFFICIAL) == official_year(2026)


@pytest.mark.parametrize(("name", "content"), [("a.xlsx", b"no workbook"), ("a.csv", b"\xff\xff\xff"), ("a.csv", b'"')])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(CalendarFileRefused):
        rows_of(file)
