"""Reports of finance as workbooks: rows are written as they come, text is never a formula, sums are numbers in yuan."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import xlsxwriter

from app.domain.finance.queries import Revenue
from app.domain.finance.rules import DIMENSIONS, FIGURES, Figures, RevenueLine
from app.kernel.money import Fen

TOTAL = "合计"


@dataclass(frozen=True)
class Row:
    """One row of a workbook: its words, then its sums in fen."""

    words: Sequence[str]
    sums: Sequence[Fen]


def write_workbook(path: Path, report: Revenue) -> None:
    """A revenue report: headings, the lines, the total."""
    rows = (Row(line.by, sums(line.figures)) for line in with_total(report))
    write_rows(path, "收入报表", [DIMENSIONS[each] for each in report.by], [*FIGURES.values()], rows)


def write_rows(path: Path, title: str, words: Sequence[str], figures: Sequence[str], rows: Iterable[Row]) -> None:
    """One sheet. Rows leave memory one by one (`constant_memory`)."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        page = book.add_worksheet(title)
        bold, money = book.add_format({"bold": True}), book.add_format({"num_format": "#,##0.00"})
        headings = [*words, *(f"{each}（元）" for each in figures)]
        page.freeze_panes(1, 0)
        page.set_column(0, len(headings) - 1, 18)
        for place, heading in enumerate(headings):
            page.write_string(0, place, heading, bold)
        for number, row in enumerate(rows, 1):
            for place, word in enumerate(row.words):
                page.write_string(number, place, word)
            for place, fen in enumerate(row.sums, len(row.words)):
                page.write_number(number, place, fen / 100, money)


def with_total(report: Revenue) -> Iterable[RevenueLine]:
    """The lines, and their sum as the last one."""
    yield from report.lines
    yield RevenueLine((TOTAL, *("" for _ in report.by[1:])), report.total)


def sums(figures: Figures) -> list[int]:
    """The sums in fen in the order of their headings."""
    return [getattr(figures, name) for name in FIGURES]
