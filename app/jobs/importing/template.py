"""The workbook to fill in: a page that explains every column, and the empty sheets with their headings and choices."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import xlsxwriter

from app.jobs.importing.sheets import SHEETS, Column, Sheet

ROWS: Final = 20_000
"""How far down the choices of a column are offered."""


def write_template(path: Path, sheets: Sequence[Sheet] = SHEETS) -> None:
    """Write the template of some sheets to a file that does not exist yet or may be replaced."""
    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        heading = book.add_format({"bold": True, "bg_color": "#DDEBF7", "border": 1})
        _explain(book, heading, sheets)
        for sheet in sheets:
            _sheet(book, sheet, heading)


def _explain(book: xlsxwriter.Workbook, heading: object, sheets: Sequence[Sheet]) -> None:
    page = book.add_worksheet("填写说明")
    page.set_column(0, 4, 24)
    page.write_row(0, 0, ("工作表", "列", "必填", "示例", "说明"), heading)
    lines = ((sheet, column) for sheet in sheets for column in sheet.columns)
    for number, (sheet, column) in enumerate(lines, 1):
        must = "是" if column.required else "否"
        page.write_row(number, 0, (sheet.title, column.heading, must, column.example, column.hint))


def _sheet(book: xlsxwriter.Workbook, sheet: Sheet, heading: object) -> None:
    page = book.add_worksheet(sheet.title)
    page.freeze_panes(1, 0)
    text = book.add_format({"num_format": "@"})
    for place, column in enumerate(sheet.columns):
        page.set_column(place, place, max(14, 2 * len(column.heading) + 4), text)
        page.write_string(0, place, f"{column.heading}{'*' if column.required else ''}", heading)
        _offer(page, place, column)


def _offer(page: xlsxwriter.worksheet.Worksheet, place: int, column: Column) -> None:
    if column.choices:
        page.data_validation(1, place, ROWS, place, {"validate": "list", "source": list(column.choices)})
