"""What people and jobs do with adjustments, the only writers of the room's tables; one file for each kind of deed."""

from app.domain.adjustments.actions.adjust import adjust, close_now
from app.domain.adjustments.actions.answer import NoOffer, accept, decline
from app.domain.adjustments.actions.apply import apply
from app.domain.adjustments.actions.calendar import CalendarInForce, apply_calendar
from app.domain.adjustments.actions.end import AdjustmentOver, OrderedByRegulator, SuspensionStands, end
from app.domain.adjustments.actions.free import (
    BasisApproved,
    BasisUnreadable,
    OwnBasis,
    approve_basis,
    free_now,
    record_basis,
)
from app.domain.adjustments.actions.offer import offer
from app.domain.adjustments.actions.suspend import check_facilities, exclude, reopen, suspend, withdraw
from app.domain.adjustments.actions.sweep import apply_forgotten, offer_forgotten, review_emergencies

__all__ = [
    "AdjustmentOver",
    "BasisApproved",
    "BasisUnreadable",
    "CalendarInForce",
    "NoOffer",
    "OrderedByRegulator",
    "OwnBasis",
    "SuspensionStands",
    "accept",
    "adjust",
    "apply",
    "apply_calendar",
    "apply_forgotten",
    "approve_basis",
    "check_facilities",
    "close_now",
    "decline",
    "end",
    "exclude",
    "free_now",
    "offer",
    "offer_forgotten",
    "record_basis",
    "reopen",
    "review_emergencies",
    "suspend",
    "withdraw",
]
