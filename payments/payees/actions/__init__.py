"""What can be done with payees and their sub-merchants; one file for each of the two."""

from payments.payees.actions.channels import confirm_channel, open_channel, retire_channel
from payments.payees.actions.payees import confirm, open_payee, retire

__all__ = [
    "confirm",
    "confirm_channel",
    "open_channel",
    "open_payee",
    "retire",
    "retire_channel",
]
