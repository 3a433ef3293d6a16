"""What can be done with a remittance: propose it, decide, send it, and find that it left, arrived or came back."""

from payments.remittance.actions.bounce import bounce
from payments.remittance.actions.decide import approve, send_back, withdraw
from payments.remittance.actions.leave import find_departures
from payments.remittance.actions.propose import propose
from payments.remittance.actions.receive import receive
from payments.remittance.actions.refuse import refuse
from payments.remittance.actions.send import send

__all__ = [
    "approve", "bounce", "find_departures", "propose", "receive", "refuse", "send", "send_back", "withdraw",
]  # fmt: skip
