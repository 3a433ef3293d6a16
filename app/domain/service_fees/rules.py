"""The figures of a fee statement, the states that it passes, and what can be agreed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy.dialects.postgresql import Range

from app.kernel.money import Fen

ISSUED: Final = "issued"
"""The state in which a statement has been told to both parties: whatever else it is in is finance's own paper."""
STATES: Final[Mapping[str, str]] = {"draft": "待复核", ISSUED: "已出具", "rejected": "已退回"}
FIGURES: Final[Mapping[str, str]] = {
    "gross_fen": "实收", "refunded_fen": "退款", "base_fen": "计费基数", "share_fen": "按比例", "fixed_fen": "按月固定",
    "fee_fen": "服务费",
}  # fmt: skip
"""Each figure in fen and its Chinese name, in the order in which one leads to the next."""
WHOLE: Final = 1000
"""Permille of everything."""


@dataclass(frozen=True)
class Agreed:
    """What a document says of a fee: its days (no last one: until it is ended), its height, its own number.

    `permille` of what is collected, `monthly_fen` for each lot and month; 0: nothing of the kind.
    """

    first: date
    last: date | None
    permille: int
    monthly_fen: Fen
    document_no: str

    def is_fit(self) -> bool:
        """Whether it can be agreed: a share, a sum or both, on a document, for some days."""
        is_height = 0 <= self.permille <= WHOLE and self.monthly_fen >= 0 and self.permille + self.monthly_fen > 0
        return is_height and bool(self.document_no.strip()) and (self.last is None or self.first <= self.last)


def days_from(first: date, last: date | None) -> Range[date]:
    """The days from the first to the last, both included; no last one: for ever."""
    return Range(first, None if last is None else last + timedelta(days=1), bounds="[)")


def last_of(days: Range[date]) -> date | None:
    """The last of some days; None: for ever."""
    return None if days.upper is None else days.upper - timedelta(days=1)


def number_of(statement_id: int, year: int) -> str:
    """The number under which a statement is issued."""
    return f"FW{year}-{statement_id:06d}"
