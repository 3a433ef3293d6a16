"""A motorist answers an offer."""

import uuid

from sqlalchemy import select

from app.domain.adjustments.models import Displacement
from app.domain.claims import actions as claims
from app.domain.claims.models import BayClaim
from app.domain.claims.queries import claim_by_id
from app.domain.motorists.models import Motorist
from app.domain.reservations.actions import keep_offer
from app.domain.reservations.models import Reservation
from app.domain.reservations.queries import lot_of_claim, reservation_of
from app.kernel import clock
from app.kernel.db import current, transaction
from app.kernel.queue import enqueue
from app.kernel.refusals import NotFound


class NoOffer(NotFound):
    """Nothing is on offer for this reservation, or the answer was given."""

    code = "offer_not_found"
    message = "该预约没有待确认的替代泊位"


def accept(motorist_id: int, reservation_key: uuid.UUID) -> Reservation:
    """Take the bay that is kept instead of the lost one: a new reservation, confirmed at once, without any penalty.

    Refuses `ReservationNotFound`, `NoOffer`, `HoldOver`, and `PlateBusy` when the motorist has reserved elsewhere
    for that time.
    """
    with transaction():
        lost, row = _offered(motorist_id, reservation_key)
        claim = _claim(row)
        kept = keep_offer(lost.motorist_id, lost.vehicle_id, lost.agreement_signature_id, claim)
        row.outcome, row.answered_at = "accepted", clock.now()
        return kept


def decline(motorist_id: int, reservation_key: uuid.UUID) -> Displacement:
    """Let the kept bay go at once. Refuses `ReservationNotFound`, `NoOffer`."""
    with transaction():
        _, row = _offered(motorist_id, reservation_key)
        claim = _claim(row)
        if claim.state == "held":
            claims.cancel(claim, "motorist")
            enqueue("gates.refresh_whitelist", lot_id=lot_of_claim(claim.id))
        row.outcome, row.answered_at = "declined", clock.now()
        return row


def _offered(motorist_id: int, reservation_key: uuid.UUID) -> tuple[Reservation, Displacement]:
    """Locked in the order of all: the motorist, the displacement, then bay and claim."""
    session = current()
    session.execute(select(Motorist.id).where(Motorist.id == motorist_id).with_for_update(key_share=True))
    lost = reservation_of(motorist_id, reservation_key)
    row = session.scalars(
        select(Displacement).where(Displacement.reservation_id == lost.id).with_for_update()
    ).one_or_none()
    if row is None or row.outcome != "offered":
        raise NoOffer
    return lost, row


def _claim(row: Displacement) -> BayClaim:
    assert row.offer_claim_id is not None
    return claim_by_id(row.offer_claim_id)
