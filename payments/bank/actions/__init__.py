"""Accounts are put on record, statements imported, and what is expected is found in them."""

from payments.bank.actions.accounts import confirm_account, record_account
from payments.bank.actions.arrivals import find_arrivals, watch_settlements
from payments.bank.actions.statements import FORMATS, import_statement

__all__ = [
    "FORMATS", "confirm_account", "find_arrivals", "import_statement", "record_account", "watch_settlements",
]  # fmt: skip
