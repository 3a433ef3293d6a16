"""A statement as it was read, and what makes one unacceptable."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Final

from app.kernel.money import Fen
from app.kernel.refusals import Invalid
from payments.bills.rules.reading import BillRefused, money

LONGEST_REFERENCE: Final = 200


class StatementRefused(Invalid):
    """The file is no statement that adds up; `reason` and `line` say where."""

    code: ClassVar[str] = "statement_refused"
    message: ClassVar[str] = "银行流水文件有误，未导入任何内容"


@dataclass(frozen=True)
class Entry:
    """One line: what came in is positive."""

    booked_on: date
    amount_fen: Fen
    reference: str


@dataclass(frozen=True)
class Statement:
    """Lines between two balances of one account (empty where the file names none)."""

    account: str
    opening_fen: Fen
    closing_fen: Fen
    entries: Sequence[Entry]

    @property
    def moved_fen(self) -> Fen:
        return sum(each.amount_fen for each in self.entries)

    def expect_sound(self) -> "Statement":
        """The statement itself. Refuses `StatementRefused` unless its lines lead from balance to balance."""
        if self.opening_fen + self.moved_fen != self.closing_fen:
            raise StatementRefused(reason="balances_differ")
        return self


def fen_of(text: str, line: int | None = None) -> Fen:
    """A sum with at most two decimals, exactly. Refuses `StatementRefused`."""
    try:
        return money(text)
    except BillRefused as refusal:
        raise StatementRefused(reason=refusal.code, line=line) from None


def day_of(text: str, line: int | None = None) -> date:
    """`2026-06-10`. Refuses `StatementRefused`."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise StatementRefused(reason="bad_date", line=line) from None


def reference_of(text: str) -> str:
    """What the bank wrote beside it, for looking numbers up only."""
    return " ".join(text.split())[:LONGEST_REFERENCE]
