"""What a paper says, free of how it looks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Side = Literal["left", "right"]


@dataclass(frozen=True)
class Table:
    """Rows under headers; `sides` says to which side each column leans, `widths` their shares of the page."""

    headers: Sequence[str]
    rows: Sequence[Sequence[str]]
    sides: Sequence[Side]
    widths: Sequence[float]


@dataclass(frozen=True)
class Paper:
    """A page or more in Chinese. `stamp` stands across the head in red, such as 已冲红; `qr` is what its code says.

    `sections` are further tables, each under its heading; a `numbered` paper says on each page which of how many it is.
    """

    title: str
    numbers: Sequence[tuple[str, str]]
    fields: Sequence[tuple[str, str]]
    table: Table
    totals: Sequence[tuple[str, str]]
    remark: str = ""
    notes: Sequence[str] = field(default_factory=tuple)
    qr: str = ""
    stamp: str = ""
    sections: Sequence[tuple[str, Table]] = field(default_factory=tuple)
    numbered: bool = False
