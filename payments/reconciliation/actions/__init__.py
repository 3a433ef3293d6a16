"""Days are compared, differences followed, explained and decided, and days signed off."""

from payments.reconciliation.actions.explain import accept, explain, reject, take
from payments.reconciliation.actions.follow import follow
from payments.reconciliation.actions.match import match_again, reconcile
from payments.reconciliation.actions.sign import propose, sign

__all__ = ["accept", "explain", "follow", "match_again", "propose", "reconcile", "reject", "sign", "take"]
