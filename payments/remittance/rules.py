"""The graph of a batch, what it posts, and how a payment-in document's number reads."""

import re
from typing import Final

from app.kernel.money import Fen
from app.kernel.states import BORN, Edge, Machine
from payments.ledger.rules import Line, credit, debit, swapped

REMITTANCE_EDGES: tuple[Edge, ...] = (
    (BORN, "born", "draft"),
    ("draft", "approve", "approved"),
    ("draft", "return", "returned"),
    ("draft", "withdraw", "withdrawn"),
    ("approved", "refuse", "refused"),
    ("approved", "send", "sent"),
    ("sent", "leave", "left"),
    ("sent", "receive", "received"),
    ("sent", "bounce", "bounced"),
    ("left", "receive", "received"),
    ("left", "bounce", "bounced"),
    ("received", "bounce", "bounced"),
)
REMITTANCE: Final = Machine("remittance", REMITTANCE_EDGES)
STATES: Final = ("draft", "approved", "returned", "withdrawn", "refused", "sent", "left", "received", "bounced")
DEAD: Final = ("returned", "withdrawn", "refused", "bounced")
"""Their postings are due again."""
ON_ITS_WAY: Final = ("sent", "left")
"""No treasury is known to have it."""
GONE: Final = (*ON_ITS_WAY, "received")
BOUND: Final = ("approved", *GONE)
"""What such a batch pays in is the treasury's: it comes back by 退付 alone."""
DOCUMENTED: Final = (*GONE, "bounced")
DECIDED: Final = ("approved", "returned", "refused", "bounced")
"""Another person's word, never the maker's."""
MOVES: Final = ("remittance", "remittance_bounce")
"""Kinds of journals that move what is due, and make nothing due; so does what mends one of them."""
PLATFORM: Final = "platform"
_DOCUMENT: Final = re.compile(r"[0-9A-Z-]{6,32}")


def is_document_number(text: str) -> bool:
    """Whether a text reads like the number of a payment-in document (缴款书号): 6 to 32 digits, capitals, hyphens."""
    return _DOCUMENT.fullmatch(text) is not None


def remitted_lines(fen: Fen) -> list[Line]:
    """What was due has left the payee's bank for the treasury."""
    return [debit("due_to_treasury", fen), credit("bank", fen)]


def bounced_lines(fen: Fen) -> list[Line]:
    """The bank has given it back: it is due as before."""
    return swapped(remitted_lines(fen))
