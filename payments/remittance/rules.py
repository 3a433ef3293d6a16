"""The graph of a batch, what it posts, and how a payment-in document's number reads."""

import re
from typing import Final

from app.kernel.money import Fen
from app.kernel.states import BORN, Edge, Machine
from payments.ledger.rules import Line, credit, debit

REMITTANCE_EDGES: tuple[Edge, ...] = (
    (BORN, "born", "draft"),
    ("draft", "approve", "approved"),
    ("draft", "return", "returned"),
    ("draft", "withdraw", "withdrawn"),
    ("approved", "send", "sent"),
    ("sent", "receive", "received"),
)
REMITTANCE: Final = Machine("remittance", REMITTANCE_EDGES)
STATES: Final = ("draft", "approved", "returned", "withdrawn", "sent", "received")
DEAD: Final = ("returned", "withdrawn")
"""Their postings are due again."""
BOUND: Final = ("approved", "sent", "received")
"""What such a batch pays in is the treasury's: it comes back by 退付 alone."""
GONE: Final = ("sent", "received")
PLATFORM: Final = "platform"
_DOCUMENT: Final = re.compile(r"[0-9A-Z-]{6,32}")


def is_document_number(text: str) -> bool:
    """Whether a text reads like the number of a payment-in document (缴款书号): 6 to 32 digits, capitals, hyphens."""
    return _DOCUMENT.fullmatch(text) is not None


def remitted_lines(fen: Fen) -> list[Line]:
    """What was due has left the payee's bank for the treasury."""
    return [debit("due_to_treasury", fen), credit("bank", fen)]
