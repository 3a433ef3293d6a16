"""What motorists do with reservations, and what sweepers do with those that nobody kept; one file for each verb."""

from app.domain.reservations.actions.cancel import cancel
from app.domain.reservations.actions.extend import extend
from app.domain.reservations.actions.keep import keep_offer
from app.domain.reservations.actions.reserve import LotSuspended, reserve
from app.domain.reservations.actions.sweep import follow_overstays, release_missed

__all__ = ["LotSuspended", "cancel", "extend", "follow_overstays", "keep_offer", "release_missed", "reserve"]
