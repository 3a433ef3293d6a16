"""The figures of a settlement statement and the states that it passes."""

from collections.abc import Mapping
from typing import Final

STATES: Final[Mapping[str, str]] = {"draft": "待复核", "issued": "已出具", "rejected": "已退回"}
FIGURES: Final[Mapping[str, str]] = {
    "opening_fen": "期初在途", "paid_fen": "收入", "refunded_fen": "退款", "fee_fen": "手续费",
    "difference_fen": "差异挂账",
    "settled_fen": "微信结算", "closing_fen": "期末在途", "arrived_fen": "银行到账", "open_fen": "未到账",
}  # fmt: skip
"""Each figure in fen and its Chinese name, in the order in which one leads to the next."""


def number_of(statement_id: int, year: int) -> str:
    """The number under which a statement is issued."""
    return f"JS{year}-{statement_id:06d}"
