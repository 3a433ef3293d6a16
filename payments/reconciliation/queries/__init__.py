"""Which days are compared, what differs, what stands in suspense, what is signed off."""

from payments.reconciliation.queries.days import (
    PAGE,
    DayView,
    DifferenceView,
    NoSuchDifference,
    NoSuchMerchant,
    days,
    difference,
    differences,
    differences_of,
    latest_run,
    merchant,
    sign_off,
    unexplained,
)
from payments.reconciliation.queries.suspense import (
    ClearingView,
    Held,
    NoSuchClearing,
    clearing,
    clearings,
    held_for_charge,
    held_for_refund,
    suspense,
)

__all__ = [
    "PAGE", "ClearingView", "DayView", "DifferenceView", "Held", "NoSuchClearing", "NoSuchDifference", "NoSuchMerchant",
    "clearing", "clearings", "days", "difference", "differences", "differences_of", "held_for_charge",
    "held_for_refund", "latest_run", "merchant", "sign_off", "suspense", "unexplained",
]  # fmt: skip
