"""From cells to rows: every fault is told at once with its place, and a row with a fault goes no further."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from app.jobs.importing.cells import ERRORS, Unreadable, plain
from app.jobs.importing.faults import Fault, Faults
from app.jobs.importing.reading import Line, heading_and_rows
from app.jobs.importing.sheets import Column, Row, Sheet

Tick = Callable[[], None]
"""Called once for each row that was read."""


Lose = Callable[[str, Row], None]
"""Called with the sheet's title and what could be read of a row that has a fault."""


def rows_of(
    sheet: Sheet, lines: Iterator[Line], faults: Faults, tick: Tick, lose: Lose
) -> Iterator[tuple[int, Row]]:  # fmt: skip
    """The sheet's good rows with their numbers; what is wrong goes to `faults`, and what is left of it to `lose`."""
    headings, rows = heading_and_rows(lines)
    places = _places(sheet, headings, faults)
    if places is None:
        return
    seen: dict[tuple[Any, ...], int] = {}
    for number, cells in rows:
        tick()
        row = _row(sheet, places, number, cells, faults)
        if len(row) < len(sheet.columns):
            lose(sheet.title, row)
        elif _is_new(sheet, row, number, seen, faults):
            yield number, row


def _places(sheet: Sheet, headings: Sequence[str], faults: Faults) -> Mapping[str, int] | None:
    """Where each column stands; a template's star behind a heading does not count."""
    found = {heading.rstrip("*"): place for place, heading in reversed(list(enumerate(headings)))}
    missing = [each.heading for each in sheet.columns if each.required and plain(each.heading) not in found]
    for heading in missing:
        faults.add(Fault(sheet.title, 1, heading, "column_missing", "缺少这一列"))
    known = {plain(each.heading) for each in sheet.columns}
    for heading in found:
        if heading and heading not in known:
            faults.add(Fault(sheet.title, 1, heading, "column_unknown", "不认识这一列，请使用模板"))
    return None if missing else {each.name: found.get(plain(each.heading), -1) for each in sheet.columns}


def _row(sheet: Sheet, places: Mapping[str, int], number: int, cells: Sequence[Any], faults: Faults) -> Row:
    """What the cells say; those with a fault are left out."""
    row: dict[str, Any] = {}
    for column in sheet.columns:
        place = places[column.name]
        cell = cells[place] if 0 <= place < len(cells) else ""
        try:
            row[column.name] = _value(column, cell)
        except Unreadable as wrong:
            faults.add(Fault(sheet.title, number, column.heading, wrong.code, str(wrong)))
    return row


def _value(column: Column, cell: Any) -> Any:
    if cell is None or plain(cell) == "":
        if column.required:
            raise Unreadable("cell_empty", "不能为空")
        return None
    if plain(cell) in ERRORS:
        raise Unreadable("cell_is_an_error", "单元格是公式错误，请改为数值或文字")
    return column.read(cell)


def _is_new(
    sheet: Sheet, row: Row, number: int, seen: dict[tuple[Any, ...], int], faults: Faults
) -> bool:  # fmt: skip
    key = tuple(row[name] for name in sheet.key)
    first = seen.setdefault(key, number)
    if first == number:
        return True
    column = next(each.heading for each in sheet.columns if each.name == sheet.key[-1])
    faults.add(Fault(sheet.title, number, column, "row_twice", f"与第 {first} 行重复"))
    return False
