"""Bills come in: which are due, how one is fetched, how a file becomes lines, and how long it is kept itself."""

from payments.bills.actions.by_hand import bring_bill, bring_none
from payments.bills.actions.due import ask_for_due, expect_bills, lease_due
from payments.bills.actions.fetch import fetch
from payments.bills.actions.load import load
from payments.bills.actions.originals import Pieces, erase_originals

__all__ = [
    "Pieces",
    "ask_for_due",
    "bring_bill",
    "bring_none",
    "erase_originals",
    "expect_bills",
    "fetch",
    "lease_due",
    "load",
]
