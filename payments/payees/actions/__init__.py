"""What can be done with payees, their sub-merchants and what their receipts must say; one file for each."""

from payments.payees.actions.channels import confirm_channel, open_channel, retire_channel
from payments.payees.actions.payees import confirm, open_payee, retire
from payments.payees.actions.reopenings import accept_reopening, reject_reopening, reopen_channel
from payments.payees.actions.terms import confirm_terms, end_terms, record_terms

__all__ = [
    "accept_reopening",
    "confirm",
    "confirm_channel",
    "confirm_terms",
    "end_terms",
    "open_channel",
    "open_payee",
    "record_terms",
    "reject_reopening",
    "reopen_channel",
    "retire",
    "retire_channel",
]
