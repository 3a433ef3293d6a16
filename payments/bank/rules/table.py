"""Statements as CSV: 记账日期,收入,支出,余额,附言, strictly by these names.

The first line is the opening balance (期初余额), and the balance after each further line is checked.
"""

import csv
import io
from collections.abc import Mapping
from typing import Final

from payments.bank.rules.statement import Entry, Statement, StatementRefused, day_of, fen_of, reference_of

COLUMNS: Final = frozenset({"记账日期", "收入", "支出", "余额", "附言"})
OPENING: Final = "期初余额"
FORMULA: Final = ("=", "+", "-", "@")


def read_csv(content: bytes) -> Statement:
    """The statement in a UTF-8 file, its lines in the order of the account. Refuses `StatementRefused`."""
    try:
        rows = csv.reader(io.StringIO(_text(content), newline=""), strict=True)
        heads = next(rows, [])
        _expect_columns(heads)
        held = opening = _opening(heads, next(rows, []))
        lines = [_line(number, heads, cells) for number, cells in enumerate(rows, 3) if cells]
    except (UnicodeDecodeError, csv.Error):
        raise StatementRefused(reason="not_csv") from None
    for number, (entry, after) in enumerate(lines, 3):
        held += entry.amount_fen
        if held != after:
            raise StatementRefused(reason="balances_differ", line=number)
    return Statement("", opening, held, [entry for entry, _ in lines])


def _text(content: bytes) -> str:
    """Without NUL, which a reference could not be kept with."""
    text = content.decode("utf-8-sig")
    if "\0" in text:
        raise StatementRefused(reason="not_csv")
    return text


def _expect_columns(heads: list[str]) -> None:
    if len(set(heads)) != len(heads):
        raise StatementRefused(reason="doubled_column", line=1)
    if set(heads) != COLUMNS:
        reason = "missing_column" if COLUMNS - set(heads) else "unknown_column"
        raise StatementRefused(reason=reason, line=1)


def _opening(heads: list[str], cells: list[str]) -> int:
    told = dict(zip(heads, cells, strict=False))
    if len(cells) != len(heads) or told["附言"] != OPENING or told["收入"] or told["支出"]:
        raise StatementRefused(reason="no_opening_balance", line=2)
    return fen_of(told["余额"], 2)


def _line(number: int, heads: list[str], cells: list[str]) -> tuple[Entry, int]:
    if len(cells) != len(heads):
        raise StatementRefused(reason="wrong_cell_count", line=number)
    told: Mapping[str, str] = dict(zip(heads, cells, strict=True))
    if told["附言"].lstrip().startswith(FORMULA):
        raise StatementRefused(reason="formula_in_cell", line=number)
    came, gone = (fen_of(told[name] or "0", number) for name in ("收入", "支出"))
    if came < 0 or gone < 0 or (came > 0) == (gone > 0):
        raise StatementRefused(reason="bad_amount", line=number)
    entry = Entry(day_of(told["记账日期"], number), came - gone, reference_of(told["附言"]))
    return entry, fen_of(told["余额"], number)
