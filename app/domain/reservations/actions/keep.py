"""A bay that was held for somebody becomes his."""

from app.domain.claims import actions as claims
from app.domain.claims.models import BayClaim
from app.domain.claims.queries import overlapping_of_plate
from app.domain.motorists.models import Vehicle
from app.domain.reservations.models import Reservation
from app.domain.reservations.queries import lot_of_claim, owners
from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.queue import enqueue
from app.kernel.spans import bounds


def keep_offer(motorist_id: int, vehicle_id: int, agreement_signature_id: int, held: BayClaim) -> Reservation:
    """The motorist says yes to the bay held for him: a reservation under the agreement that he signed.

    Motorist and claim are locked by the caller. Refuses `HoldOver`, and `PlateBusy` when he has reserved elsewhere for
    that time.
    """
    with transaction() as session:
        rivals = overlapping_of_plate(session.get_one(Vehicle, vehicle_id).plate_id, held.during)
        if motorist_id in owners([rival.id for rival in rivals if rival.id != held.id]):
            raise claims.PlateBusy
        claims.confirm(held)
        begins_at, ends_at = bounds(held.during)
        reservation = Reservation(
            motorist_id=motorist_id, vehicle_id=vehicle_id, lot_id=lot_of_claim(held.id), claim_id=held.id,
            agreement_signature_id=agreement_signature_id, begins_at=begins_at, ends_at=ends_at, made_at=clock.now(),
        )  # fmt: skip
        session.add(reservation)
        session.flush()
        enqueue("gates.refresh_whitelist", lot_id=reservation.lot_id)
        return reservation
