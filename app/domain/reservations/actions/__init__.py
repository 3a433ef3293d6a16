"""What motorists do with reservations, and what sweepers do with those that nobody kept; one file for each verb."""

from app.domain.reservations.actions.cancel import cancel, take_back
from app.domain.reservations.actions.extend import extend
from app.domain.reservations.actions.keep import keep_offer
from app.domain.reservations.actions.night import reserve_night
from app.domain.reservations.actions.offer import offer_forgotten, offer_free_bays
from app.domain.reservations.actions.reserve import LotSuspended, reserve
from app.domain.reservations.actions.sweep import follow_overstays, release_missed
from app.domain.reservations.actions.wait import accept, decline, join, leave

__all__ = [
    "LotSuspended",
    "accept",
    "cancel",
    "decline",
    "extend",
    "follow_overstays",
    "join",
    "keep_offer",
    "leave",
    "offer_forgotten",
    "offer_free_bays",
    "release_missed",
    "reserve",
    "reserve_night",
    "take_back",
]
