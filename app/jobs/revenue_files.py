"""A revenue report as a workbook: rows are written as they come, text is never a formula, sums are numbers in yuan."""

from collections.abc import Iterable
from pathlib import Path

import xlsxwriter

from app.domain.finance.queries import Revenue
from app.domain.finance.rules import DIMENSIONS, FIGURES, Figures, RevenueLine

TOTAL = "合计"


def write_workbook(path: Path, report: Revenue) -> None:
    """One sheet: headings, the lines, the total. Rows leave memory one by one (`constant_memory`)."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        page = book.add_worksheet("收入报表")
        bold, money = book.add_format({"bold": True}), book.add_format({"num_format": "#,##0.00"})
        headings = [DIMENSIONS[each] for each in report.by] + [f"{each}（元）" for each in FIGURES.values()]
        page.freeze_panes(1, 0)
        page.set_column(0, len(headings) - 1, 18)
        for place, heading in enumerate(headings):
            page.write_string(0, place, heading, bold)
        for number, line in enumerate(with_total(report), 1):
            for place, word in enumerate(line.by):
                page.write_string(number, place, word)
            for place, fen in enumerate(sums(line.figures), len(line.by)):
                page.write_number(number, place, fen / 100, money)


def with_total(report: Revenue) -> Iterable[RevenueLine]:
    """The lines, and their sum as the last one."""
    yield from report.lines
    yield RevenueLine((TOTAL, *("" for _ in report.by[1:])), report.total)


def sums(figures: Figures) -> list[int]:
    """The sums in fen in the order of their headings."""
    return [getattr(figures, name) for name in FIGURES]
