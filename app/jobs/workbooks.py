"""Lines with sums as a workbook: rows are written as they come, text is never a formula, sums are numbers in yuan."""

from pathlib import Path

import xlsxwriter

from app.jobs.commands.answers import Lines, text


def write(path: Path, lines: Lines) -> None:
    """One sheet: headings, the lines, the total. Rows leave memory one by one (`constant_memory`)."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        page = book.add_worksheet(lines.title)
        bold, money = book.add_format({"bold": True}), book.add_format({"num_format": "#,##0.00"})
        page.freeze_panes(1, 0)
        page.set_column(0, len(lines.headings) - 1, 18)
        for place, heading in enumerate(lines.headings.values()):
            page.write_string(0, place, heading, bold)
        for number, row in enumerate(lines.for_people(), 1):
            for place, name in enumerate(lines.words):
                page.write_string(number, place, text(row[name]))
            for place, name in enumerate(lines.figures, len(lines.words)):
                page.write_number(number, place, row[name] / 100, money)
