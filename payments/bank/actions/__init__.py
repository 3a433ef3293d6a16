"""Accounts are put on record, statements imported, and what is expected is found in them."""

from payments.bank.actions.accounts import confirm_account, record_account
from payments.bank.actions.arrivals import find_arrivals, watch_settlements
from payments.bank.actions.lines import accept_line, explain_line, reject_line, watch_lines
from payments.bank.actions.statements import FORMATS, import_statement

__all__ = [
    "FORMATS", "accept_line", "confirm_account", "explain_line", "find_arrivals", "import_statement", "record_account",
    "reject_line", "watch_lines", "watch_settlements",
]  # fmt: skip
