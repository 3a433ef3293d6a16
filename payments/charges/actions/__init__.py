"""What can be done with a charge: open it, prepare its payment, learn of it, recognise it, withdraw it."""

from payments.charges.actions.ask import ask_about
from payments.charges.actions.check import check_order
from payments.charges.actions.notices import apply_notice
from payments.charges.actions.open import open_charge
from payments.charges.actions.prepare import prepare, prepare_together
from payments.charges.actions.recognise import recognise
from payments.charges.actions.sweep import sweep
from payments.charges.actions.withdraw import withdraw

__all__ = [
    "apply_notice",
    "ask_about",
    "check_order",
    "open_charge",
    "prepare",
    "prepare_together",
    "recognise",
    "sweep",
    "withdraw",
]
