"""Rows out of a workbook (xlsx) or of CSV files named as the sheets; one at a time, so that a city fits in memory."""

import csv
import re
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import reduce
from itertools import chain
from pathlib import Path
from typing import IO, Any, Final
from xml.etree.ElementTree import Element, ParseError, fromstring
from zipfile import BadZipFile, ZipFile

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from app.jobs.importing.cells import plain
from app.jobs.importing.sheets import SHEETS
from app.kernel.refusals import Invalid

TITLES: Final = tuple(sheet.title for sheet in SHEETS)
LARGEST_BYTES: Final = 200 * 1024 * 1024

FAR_RIGHT: Final = re.compile(rb'\br="(?:[B-Z][A-Z]|[A-Z]{3})[0-9]')
"""A cell's place in a column behind AZ, as a workbook writes it."""
ERROR_CELL: Final = re.compile(rb'<(?:\w+:)?c\b(?=[^<>]*\bt="e")[^<>]*\br="([A-Z]{1,3})([0-9]{1,7})"')
"""A cell whose formula came to nothing. The library reads it as an empty one, so it is looked for before."""
SHOWN_ERROR: Final = "#VALUE!"
PIECE: Final = 1024 * 1024
LONGEST_CELL: Final = 256
"""So many bytes hold the opening of a cell."""

Line = tuple[int, Sequence[Any]]
"""The number of a row, as the spreadsheet counts, and its cells."""
Errors = Mapping[int, Collection[int]]
"""By a row's number the places of the cells that show an error, the first of them 0."""
RELATION: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
Source = Mapping[str, Iterator[Line]]
"""Each sheet's rows by its title, the heading first."""


class FileUnreadable(Invalid):
    """The file is no workbook or CSV that can be read."""

    code = "import_file_unreadable"
    message = "无法读取文件：须为 xlsx，或以 UTF-8、GB 18030 编码的 CSV"


class FileNotRecognised(Invalid):
    """A file is neither a workbook nor a CSV file named after a sheet, or the same sheet comes twice."""

    code = "import_file_not_recognised"
    message = "须为一个 xlsx 文件，或以工作表命名的 CSV 文件"


class SheetTooWide(Invalid):
    """A cell stands far to the right of any table: the sheet would be read as a rectangle that reaches to it."""

    code = "import_sheet_too_wide"
    message = "工作表在 AZ 列以右仍有内容，请删除多余的列后重试"


@contextmanager
def opened(paths: Sequence[Path], among: Sequence[str] = TITLES) -> Iterator[Source]:
    """The sheets with these titles of one workbook, or of several CSV files.

    Refuses `FileUnreadable`, `FileNotRecognised`, `SheetTooWide`.
    """
    if any(path.stat().st_size > LARGEST_BYTES for path in paths):
        raise FileUnreadable(largest_bytes=LARGEST_BYTES)
    if len(paths) == 1 and paths[0].suffix.lower() == ".xlsx":
        with _workbook(paths[0]) as (workbook, errors):
            yield {
                title: _sheet(workbook.get_sheet_by_name(title), errors.get(title, {}))
                for title in workbook.sheet_names
                if title in among
            }
        return
    titles = [path.stem for path in paths]
    if set(titles) - set(among) or len(set(titles)) < len(titles) or any(p.suffix.lower() != ".csv" for p in paths):
        raise FileNotRecognised(files=titles, sheets=list(among))
    yield {path.stem: _csv(path) for path in paths}


@contextmanager
def _workbook(path: Path) -> Iterator[tuple[CalamineWorkbook, Mapping[str, Errors]]]:
    """A workbook, and by each sheet's title where it shows an error."""
    try:
        errors = _looked_through(path)
        workbook = CalamineWorkbook.from_path(path)
    except (CalamineError, OSError, BadZipFile, zlib.error, KeyError, ParseError) as error:
        raise FileUnreadable(file=path.name) from error
    with workbook:
        yield workbook, errors


def _looked_through(path: Path) -> Mapping[str, Errors]:
    with ZipFile(path) as parts:
        titles, errors = _titles(parts), dict[str, Errors]()
        for name in parts.namelist():
            if name.startswith("xl/worksheets/") and name.endswith(".xml"):
                with parts.open(name) as part:
                    errors[titles.get(name, name)] = _errors_of(part, name)
        return errors


def _titles(parts: ZipFile) -> Mapping[str, str]:
    """The title of each sheet by the part that holds it."""
    targets = {
        each.get("Id"): each.get("Target", "").removeprefix("/").removeprefix("xl/")
        for each in _tree(parts, "xl/_rels/workbook.xml.rels")
    }
    sheets = _tree(parts, "xl/workbook.xml").iterfind(".//{*}sheet")
    return {f"xl/{targets.get(each.get(RELATION))}": each.get("name", "") for each in sheets}


def _tree(parts: ZipFile, name: str) -> Element:
    """A small part of a workbook. None of them declares entities, so one that does is no workbook."""
    told = parts.read(name)
    if b"<!" in told:
        raise ParseError(name)
    return fromstring(told)  # noqa: S314 - without declarations nothing can be expanded


def _errors_of(part: IO[bytes], name: str) -> Errors:
    """Looked for while the part is unpacked, piece by piece: a cell may lie across two of them."""
    before, errors = b"", dict[int, set[int]]()
    while piece := part.read(PIECE):
        seen = before + piece
        if FAR_RIGHT.search(seen):
            raise SheetTooWide(part=name)
        for column, row in ERROR_CELL.findall(seen) if b't="e"' in seen else ():
            errors.setdefault(int(row), set()).add(_column(column))
        before = seen[-LONGEST_CELL:]
    return errors


def _column(letters: bytes) -> int:
    """A is 0, Z is 25, AA is 26."""
    return reduce(lambda place, letter: 26 * place + letter - 64, letters, 0) - 1


def _sheet(sheet: CalamineSheet, errors: Errors) -> Iterator[Line]:
    """`iter_rows` begins with the first row that holds anything, so its number is asked for."""
    top, left = sheet.start or (0, 0)
    padding = [""] * left
    for number, row in enumerate(sheet.iter_rows(), top + 1):
        cells = [*padding, *row]
        for place in errors.get(number, ()):
            if place < len(cells):
                cells[place] = SHOWN_ERROR
        yield number, cells


def _csv(path: Path) -> Iterator[Line]:
    """A line may hold line breaks within quotes: rows are counted, as a spreadsheet that opens the file counts them."""
    with path.open(encoding=_encoding(path), newline="") as stream:
        try:
            yield from enumerate(csv.reader(stream, strict=True), 1)
        except (csv.Error, UnicodeDecodeError) as error:
            raise FileUnreadable(file=path.name) from error


def _encoding(path: Path) -> str:
    """What a spreadsheet of this country writes: UTF-8 with or without a mark, else GB 18030."""
    try:
        with path.open(encoding="utf-8-sig") as stream:
            for _ in stream:
                pass
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8-sig"


def heading_and_rows(lines: Iterator[Line]) -> tuple[Sequence[str], Iterator[Line]]:
    """The headings of a sheet, and its rows that hold anything."""
    first = next(lines, (1, ()))
    headings = [plain(cell) for cell in first[1]]
    return headings, (line for line in chain(lines) if any(plain(cell) for cell in line[1]))
