"""What both kinds of bill share: lines, cells behind backticks, exact money, a header and a summary by their names."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

from app.kernel.money import Fen

NUMBER: Final = re.compile(r"[0-9A-Za-z_|*@-]{1,64}")
_FORMULA: Final = re.compile(r",`(?:[=+@\t\r]|-(?![0-9]+(?:\.[0-9]+)?(?:,`|$)))")
_CLOCK: Final = re.compile(r" (?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]")
_YUAN: Final = re.compile(r"(-?)(0|[1-9][0-9]{0,12})(?:\.([0-9]+))?")
_DAY_LENGTH: Final = 10
_FEN_DIGITS: Final = 2
_COUNT: Final = re.compile(r"0|[1-9][0-9]{0,9}")


class BillRefused(Exception):
    """A bill that is not what it must be: its stable `code`, and the line where it shows, the header being 1.

    Codes: `truncated`, `not_gzip`, `trailing_bytes`, `too_large`, `hash_mismatch`, `not_encrypted_for_us`, `not_utf8`,
    `empty_file`, `missing_column`, `doubled_column`, `unknown_column`, `missing_backtick`, `wrong_cell_count`,
    `formula_in_cell`, `bad_amount`, `too_many_decimals`, `bad_count`, `bad_rate`, `bad_number`, `bad_time`,
    `another_day`, `another_merchant`, `unknown_status`, `unknown_currency`, `inconsistent_line`, `doubled_line`,
    `missing_summary`, `line_after_summary`, `wrong_count`, `wrong_total`, `day_signed_off`.
    """

    def __init__(self, code: str, line: int | None = None) -> None:
        super().__init__(code if line is None else f"{code} in line {line}")
        self.code = code
        self.line = line


@dataclass(frozen=True)
class Owner:
    """Whose bill it must be, and of which day."""

    sp_mchid: str
    sub_mchid: str
    day: date


@dataclass
class Sums:
    """What the lines of a bill come to, in fen."""

    lines: int = 0
    paid_fen: Fen = 0
    refunded_fen: Fen = 0
    fee_fen: Fen = 0


@dataclass(frozen=True)
class Layout:
    """The columns of one kind of file and those of its summary, each by its name."""

    columns: frozenset[str]
    summary: tuple[str, ...]


def lines_of(pieces: Iterable[bytes]) -> Iterator[str]:
    """The lines of a text that comes in pieces, without their ends and the BOM. Raises `BillRefused` `not_utf8`."""
    rest, is_first = b"", True
    for piece in pieces:
        whole, newline, rest_of_piece = piece.rpartition(b"\n")
        if not newline:
            rest += piece
            continue
        text = _decoded(rest + whole)
        rest = rest_of_piece
        if is_first:
            text, is_first = text.removeprefix("\ufeff"), False
        for line in text.split("\n"):
            yield line.removesuffix("\r")
    if rest:
        yield _decoded(rest).removeprefix("\ufeff" if is_first else "").removesuffix("\r")


class Sheet:
    """A bill's text as rows of cells; `summary` is there once all rows were read.

    Raises `BillRefused` for whatever is not exactly one of the layouts.
    """

    def __init__(self, lines: Iterable[str], layouts: Sequence[Layout], aliases: Mapping[str, str]) -> None:
        self._lines = enumerate(lines, 1)
        self.heads = [aliases.get(name, name) for name in self._header()]
        self.layout = _layout_of(self.heads, layouts)
        self.summary: Mapping[str, str] = {}

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Each line's number in the file, and its cells without their backticks."""
        count = len(self.heads)
        for number, line in self._lines:
            if not line.startswith("`"):
                self._sum_up(number, line)
                return
            cells = line[1:].split(",`")
            if len(cells) != count:
                raise BillRefused("wrong_cell_count", number)
            if _FORMULA.search(line):
                raise BillRefused("formula_in_cell", number)
            yield number, cells
        raise BillRefused("missing_summary")

    def _header(self) -> list[str]:
        _, line = next(self._lines, (0, ""))
        if not line:
            raise BillRefused("empty_file")
        return line.split(",")

    def _sum_up(self, number: int, line: str) -> None:
        names = self.layout.summary
        if line != ",".join(names):
            raise BillRefused("missing_backtick" if line.count(",`") else "missing_summary", number)
        after, told = next(self._lines, (number, ""))
        cells = told[1:].split(",`")
        if not told.startswith("`") or len(cells) != len(names):
            raise BillRefused("missing_summary", after)
        for beyond, more in self._lines:
            if more:
                raise BillRefused("line_after_summary", beyond)
        self.summary = dict(zip(names, cells, strict=True))

    def expect(self, counts: Mapping[str, int], sums: Mapping[str, Fen]) -> None:
        """Refuse unless the summary says what the lines came to; names that it does not have are passed over."""
        for name, told in self.summary.items():
            if name in counts and count(told) != counts[name]:
                raise BillRefused("wrong_count")
            if name in sums and fen(told) != sums[name]:
                raise BillRefused("wrong_total")


@lru_cache(maxsize=65_536)
def fen(text: str) -> Fen:
    """Yuan with at most two decimals as fen, exactly. Raises `BillRefused`; further zeros are no decimals."""
    told = _YUAN.fullmatch(text)
    if told is None:
        raise BillRefused("bad_amount")
    sign, whole, part = told.groups()
    decimals = (part or "")[:_FEN_DIGITS].ljust(_FEN_DIGITS, "0")
    if (part or "")[_FEN_DIGITS:].strip("0"):
        raise BillRefused("too_many_decimals")
    amount = int(whole + decimals)
    return -amount if sign else amount


@lru_cache(maxsize=65_536)
def money(text: str) -> Fen:
    """As `fen`, of a column that is never written with more than two decimals."""
    if len(text.partition(".")[2]) > _FEN_DIGITS:
        raise BillRefused("too_many_decimals")
    return fen(text)


def count(text: str) -> int:
    """A number of lines. Raises `BillRefused`."""
    if not _COUNT.fullmatch(text):
        raise BillRefused("bad_count")
    return int(text)


def expect_moment(text: str, day: str) -> None:
    """Refuse what is no `yyyy-MM-dd HH:mm:ss` of this day in Beijing."""
    if not _CLOCK.fullmatch(text, _DAY_LENGTH):
        raise BillRefused("bad_time")
    if not text.startswith(day):
        raise BillRefused("another_day")


def expect_numbers(*texts: str) -> None:
    """Refuse what is no number of WeChat's or ours."""
    for text in texts:
        if not NUMBER.fullmatch(text):
            raise BillRefused("bad_number")


def _layout_of(heads: Sequence[str], layouts: Sequence[Layout]) -> Layout:
    names = set(heads)
    if len(names) != len(heads):
        raise BillRefused("doubled_column", 1)
    fitting = next((each for each in layouts if each.columns == names), None)
    if fitting is not None:
        return fitting
    known = frozenset[str]().union(*(each.columns for each in layouts))
    raise BillRefused("unknown_column" if names - known else "missing_column", 1)


def _decoded(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise BillRefused("not_utf8") from None
