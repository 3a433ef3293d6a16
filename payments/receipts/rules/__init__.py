"""Which receipt a payee gives, the life of one, and when its platform is asked again."""

from datetime import datetime, timedelta
from typing import Final

from app.kernel.states import BORN, Edge, Machine
from payments.ledger.rules import TREASURY

FISCAL_EBILL: Final = "fiscal_ebill"
TAX_INVOICE: Final = "tax_invoice"
BLUE: Final = "blue"
RED: Final = "red"
"""A red receipt (红票) takes a blue one back, whole; nothing that was issued is ever edited."""

RECEIPT_EDGES: tuple[Edge, ...] = (
    (BORN, "born", "due"),
    ("due", "send", "issuing"),
    ("due", "cancel", "cancelled"),
    ("issuing", "issue", "issued"),
    ("issuing", "refuse", "refused"),
    ("issued", "reverse", "reversing"),
    ("reversing", "take_back", "reversed"),
)
RECEIPT: Final = Machine("receipt", RECEIPT_EDGES)
RECEIPT_STATES: Final = ("due", "issuing", "issued", "refused", "cancelled", "reversing", "reversed")
LIVE: Final = ("due", "issuing", "issued", "reversing")
"""States in which a blue receipt stands for its charges: no other may be issued for them."""
WITH_A_NUMBER: Final = ("issued", "reversing", "reversed")

LOOK_AGAIN: Final = timedelta(minutes=1)
CALL_MAY_TAKE: Final = timedelta(minutes=1)
UNTIL_MENDED: Final = timedelta(hours=1)
"""Until it is looked again whether somebody has confirmed what a receipt must say."""
WITHOUT_PLATFORM: Final = timedelta(hours=1)
SILENT_TOO_LONG: Final = timedelta(hours=24)
MOST_TOGETHER: Final = 50
LONGEST_REMARK: Final = 200
_WAITS: Final = (1, 2, 5, 10, 30, 60)


def kind_for(regime: str) -> str:
    """财政电子票据 for non-tax income of the treasury, 数电票 for an enterprise's taxed income."""
    return FISCAL_EBILL if regime == TREASURY else TAX_INVOICE


def next_try(attempts: int, now: datetime) -> datetime:
    """When a platform that did not answer is asked again: after 1, 2, 5, 10, 30 minutes, then every hour, for ever."""
    return now + timedelta(minutes=_WAITS[min(max(attempts, 1), len(_WAITS)) - 1])


def remark_of(told: list[str]) -> str:
    """What stands in the remark for several services; what does not fit is counted, never cut within a plate."""
    whole, rest = "；".join(told), f"等{len(told)}笔"
    if len(whole) <= LONGEST_REMARK:
        return whole
    kept: list[str] = []
    for each in told:
        if len("；".join([*kept, each, rest])) > LONGEST_REMARK:
            break
        kept.append(each)
    return "；".join([*kept, rest])
