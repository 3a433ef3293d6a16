"""A regular place ends before its time: given back, or taken back because the car stayed away."""

import uuid
from collections.abc import Sequence

from app.domain.claims.actions import waiting_briefly
from app.domain.claims.queries import lock_bays_of
from app.domain.lots.models import Lot
from app.domain.regulars.actions.tell import tell_applicant
from app.domain.regulars.models import RegularApplication, RegularRound
from app.domain.regulars.queries import own_application
from app.domain.regulars.queries.due import misses_if_too_many, promised_nights
from app.domain.regulars.rules import APPLICATION
from app.domain.regulars.rules.words import lost_text
from app.domain.reservations import actions as reservations
from app.domain.reservations.actions.locks import lock_motorist
from app.domain.reservations.models import Reservation
from app.kernel.db import transaction
from app.kernel.queue import enqueue


def give_back(motorist_id: int, key: uuid.UUID) -> RegularApplication:
    """Give a regular place back with all its nights that have not begun for the car; whoever waits moves up.

    Each night counts as cancelled by the motorist, and so tonight's may be late. Refuses `ApplicationNotFound`, and
    `WrongState` without a place.
    """
    with transaction(), waiting_briefly():
        lock_motorist(motorist_id)
        mine = own_application(motorist_id, key)
        APPLICATION.move(mine, "give_back", "motorist", place=None)
        for night in _locked_nights(mine):
            reservations.cancel(motorist_id, night.key)
        enqueue("regulars.tend", round_id=mine.round_id)
        return mine


def take_back(application_id: int, motorist_id: int) -> bool:
    """End the regular place of a car that stayed away too often; asked again with the application locked."""
    with transaction() as session, waiting_briefly():
        lock_motorist(motorist_id)
        mine = session.get_one(RegularApplication, application_id, with_for_update={"key_share": True})
        misses = misses_if_too_many(mine.id)
        if misses is None:
            return False
        APPLICATION.move(mine, "lose", "regulars", place=None)
        for night in _locked_nights(mine):
            reservations.take_back(night, "regulars")
        lot = session.get_one(Lot, session.get_one(RegularRound, mine.round_id).lot_id)
        tell_applicant(mine, "regular_lost", lost_text(lot.name, misses), lot)
        enqueue("regulars.tend", round_id=mine.round_id)
        return True


def _locked_nights(mine: RegularApplication) -> Sequence[Reservation]:
    """The promised nights; all their bays are locked at once, in the order that keeps two of us from waiting crosswise.

    With the bays had it is asked again: a car may have driven in meanwhile.
    """
    lock_bays_of([night.claim_id for night in promised_nights(mine.id)])
    return promised_nights(mine.id)
