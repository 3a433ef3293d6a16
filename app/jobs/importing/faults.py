"""What is wrong with a file, told by sheet, row and column, in the words of the person who filled it in."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

MOST: Final = 1000
"""Faults beyond this many are counted and not told: a wrong file has them by the hundred thousand."""


@dataclass(frozen=True, order=True)
class Fault:
    """One fault: where (`row` as the spreadsheet counts, the heading being 1), a stable code, and what to do."""

    sheet: str
    row: int
    column: str
    code: str
    message: str

    def line(self) -> str:
        """Such as `停车场 第 5 行「纬度」：…`."""
        where = f"{self.sheet} 第 {self.row} 行" if self.row else self.sheet
        return f"{where}「{self.column}」：{self.message}" if self.column else f"{where}：{self.message}"


@dataclass
class Faults:
    """All faults of one import in the order in which they were found, the first `MOST` of them word for word."""

    told: list[Fault] = field(default_factory=list)
    count: int = 0

    def add(self, fault: Fault) -> None:
        self.count += 1
        if len(self.told) < MOST:
            self.told.append(fault)

    def __bool__(self) -> bool:
        return self.count > 0

    def __iter__(self) -> Iterator[Fault]:
        return iter(self.told)
