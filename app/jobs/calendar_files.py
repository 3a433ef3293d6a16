"""A table of days out of a file: the first sheet of a workbook (xlsx), or CSV as spreadsheets here write it."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from app.domain.calendars.sheets import CalendarFileRefused, Fault, Row

LARGEST_BYTES = 5 * 1024 * 1024


def rows_of(path: Path) -> tuple[list[str], Iterator[Row]]:
    """The headings, and the rows that hold anything, numbered as a spreadsheet counts.

    Refuses `CalendarFileRefused` for a file that is neither.
    """
    if path.stat().st_size > LARGEST_BYTES:
        raise CalendarFileRefused.for_([Fault(0, "", "文件超过 5 MB")])
    lines = _workbook(path) if path.suffix.lower() == ".xlsx" else _csv(path.read_bytes())
    headings = [str(cell).strip() for cell in lines[0][1]] if lines else []
    return headings, (
        (number, dict(zip(headings, cells, strict=False))) for number, cells in lines[1:] if any(map(_says, cells))
    )


def _workbook(path: Path) -> list[tuple[int, Sequence[Any]]]:
    from python_calamine import CalamineError, CalamineWorkbook  # noqa: PLC0415 - CSV does not need it

    try:
        with CalamineWorkbook.from_path(path) as workbook:
            sheet = workbook.get_sheet_by_index(0)
            return list(enumerate(sheet.to_python(skip_empty_area=False), 1))
    except CalamineError as error:
        raise CalendarFileRefused.for_([Fault(0, "", "不是可读取的 xlsx 文件")]) from error


def _csv(content: bytes) -> list[tuple[int, Sequence[Any]]]:
    try:
        return list(enumerate(csv.reader(io.StringIO(_decoded(content), newline=""), strict=True), 1))
    except (csv.Error, UnicodeDecodeError) as error:
        raise CalendarFileRefused.for_([Fault(0, "", "须为 UTF-8 或 GB 18030 编码的 CSV，或 xlsx")]) from error


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("gb18030")


def _says(cell: Any) -> bool:
    return bool(str(cell).strip())
