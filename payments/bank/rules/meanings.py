"""What a line of the bank may be that nobody expected, and what it comes to in the books."""

from collections.abc import Mapping
from typing import Final

from app.kernel.money import Fen
from payments.ledger.rules import Line, credit, debit

FEE_BORNE, ELSEWHERE = "fee_borne", "elsewhere"
MEANINGS: Final[Mapping[str, str]] = {FEE_BORNE: "单位补足手续费", ELSEWHERE: "与本平台无关"}
MEANING_STATES: Final = ("waiting", "accepted", "rejected")


def borne_lines(fen: Fen) -> list[Line]:
    """The unit has paid in, out of its budget, what WeChat kept of the treasury's money."""
    return [debit("bank", fen), credit("wx_fee", fen)]
