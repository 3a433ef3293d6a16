"""Days are compared, differences followed, explained and decided, suspense cleared, and days signed off."""

from payments.reconciliation.actions.clear import (
    accept_clearing,
    clear_against,
    clear_against_charge,
    clear_against_refund,
    reject_clearing,
)
from payments.reconciliation.actions.explain import accept, assign, explain, reject, take
from payments.reconciliation.actions.follow import follow
from payments.reconciliation.actions.match import match_again, reconcile
from payments.reconciliation.actions.place import (
    accept_placement,
    give_back,
    place,
    place_strays,
    reject_placement,
)
from payments.reconciliation.actions.rates import confirm_rate, record_rate
from payments.reconciliation.actions.sign import propose, sign
from payments.reconciliation.actions.watch import watch_suspense

__all__ = [
    "accept", "accept_clearing", "accept_placement", "assign", "clear_against", "clear_against_charge",
    "clear_against_refund", "confirm_rate", "explain", "follow", "give_back", "match_again", "place", "place_strays",
    "propose", "reconcile", "record_rate", "reject", "reject_clearing", "reject_placement", "sign", "take",
    "watch_suspense",
]  # fmt: skip
