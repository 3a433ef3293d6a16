"""What a command answers, and how it is told: a table for people, one JSON document for programs."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass
from datetime import datetime, time
from enum import Enum
from typing import Any

import click

from app.domain.finance.rules import yuan
from app.kernel.clock import shanghai

WIDE = 200
"""Columns of a table that no terminal shows."""


@dataclass(frozen=True)
class Sheet:
    """Rows with the same columns. `headings` names each column in Chinese; JSON holds every key of a row."""

    headings: Mapping[str, str]
    rows: Sequence[Mapping[str, Any]]

    @property
    def shown(self) -> int:
        """How many rows are told."""
        return len(self.rows)


@dataclass(frozen=True, init=False)
class Note:
    """One fact in Chinese, and what belongs to it by name."""

    sentence: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __init__(self, sentence: str, **facts: Any) -> None:
        object.__setattr__(self, "sentence", sentence)
        object.__setattr__(self, "facts", facts)

    @property
    def shown(self) -> int:
        """One fact."""
        return 1


Answer = Sheet | Note


@dataclass(frozen=True)
class Lines:
    """Lines with sums of money, which may leave as a workbook: in fen for programs, in yuan for people.

    `words` and `figures` name in Chinese what stands in the columns of each row and of the `total`, sums last. A row
    beyond the `limit` says only that there are more.
    """

    title: str
    words: Mapping[str, str]
    figures: Mapping[str, str]
    rows: Sequence[Mapping[str, Any]]
    limit: int | None = None
    total: Mapping[str, Any] | None = None

    @property
    def shown(self) -> int:
        """How many rows are told, the total aside."""
        return len(self.rows[: self.limit])

    @property
    def headings(self) -> dict[str, str]:
        """Every column with its name; sums are read in yuan."""
        return {**self.words, **{name: f"{told}（元）" for name, told in self.figures.items()}}

    def for_people(self) -> list[Mapping[str, Any]]:
        """The rows, and the total below them."""
        return [*self.rows[: self.limit], *([self.total] if self.total else [])]

    def sheet(self, *, as_yuan: bool) -> Sheet:
        """The rows as a table in yuan, with the total, or for a program in fen."""
        if not as_yuan:
            return Sheet(self.headings, self.rows[: self.limit])
        rows = [{**row, **{name: yuan(row[name]) for name in self.figures}} for row in self.for_people()]
        return Sheet(self.headings, rows)


def tell(answer: Answer, *, as_json: bool) -> None:
    """Print the answer: JSON is a list of rows, or an object of facts with its `message`."""
    if as_json:
        click.echo(json.dumps(_document(answer), ensure_ascii=False))
    elif isinstance(answer, Note):
        _tell_note(answer)
    else:
        _tell_sheet(answer)


def plain(value: Any) -> Any:
    """The same in words of JSON: keys as text, moments with their offset, money and counts as numbers."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in value]
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, datetime):
        return shanghai(value).isoformat(timespec="seconds")
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _document(answer: Answer) -> Any:
    if isinstance(answer, Note):
        return {"message": answer.sentence, **plain(answer.facts)}
    return plain(answer.rows)


def _tell_note(note: Note) -> None:
    click.echo(note.sentence)
    for name, value in note.facts.items():
        click.echo(f"  {name}: {text(value)}")


def _tell_sheet(sheet: Sheet) -> None:
    from rich.console import Console  # noqa: PLC0415 - programs that read JSON need not wait for it
    from rich.table import Table  # noqa: PLC0415

    table = Table(*sheet.headings.values(), highlight=False)
    for row in sheet.rows:
        table.add_row(*(text(row.get(name)) for name in sheet.headings))
    console = Console(width=None if sys.stdout.isatty() else WIDE, markup=False)
    console.print(table if sheet.rows else "（无）")


def text(value: Any) -> str:
    """How a value reads in a table: moments on the clocks of Hangzhou, nothing for what is not there."""
    match value:
        case None | bool():
            return {None: "", True: "是", False: "否"}[value]
        case datetime() | time():
            return _clock_text(value)
        case Mapping():
            return "、".join(f"{name} {text(each)}" for name, each in value.items())
        case list() | tuple() | set() | frozenset():
            several = any(isinstance(each, Mapping) for each in value)
            return ("；" if several else "、").join(text(each) for each in value)
        case _:
            return str(value.value if isinstance(value, Enum) else value)


def _clock_text(value: datetime | time) -> str:
    return shanghai(value).strftime("%Y-%m-%d %H:%M") if isinstance(value, datetime) else value.strftime("%H:%M")
