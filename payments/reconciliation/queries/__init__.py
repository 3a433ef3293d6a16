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
from payments.reconciliation.queries.rates import RateView, agreed_ppm, rate, rates
from payments.reconciliation.queries.sheets import (
    DayNotSignedOff,
    DaySheet,
    MonthNotSignedOff,
    SheetBill,
    SheetDifference,
    day_sheet,
    month_sheets,
)
from payments.reconciliation.queries.suspense import (
    ClearingView,
    Held,
    NoSuchClearing,
    NoSuchPlacement,
    PlacementView,
    being_cleared,
    clearing,
    clearings,
    held_for_charge,
    held_for_refund,
    payee_of_held,
    placement,
    placements,
    surplus,
    suspense,
)

__all__ = [
    "PAGE", "ClearingView", "DayNotSignedOff", "DaySheet", "DayView", "DifferenceView", "Held", "MonthNotSignedOff",
    "NoSuchClearing", "NoSuchDifference", "NoSuchMerchant", "NoSuchPlacement", "PlacementView", "RateView", "SheetBill",
    "SheetDifference", "agreed_ppm", "being_cleared", "clearing", "clearings", "day_sheet", "days", "difference",
    "differences", "differences_of", "held_for_charge", "held_for_refund", "latest_run", "merchant", "month_sheets",
    "payee_of_held", "placement", "placements", "rate", "rates", "sign_off", "surplus", "suspense", "unexplained",
]  # fmt: skip
