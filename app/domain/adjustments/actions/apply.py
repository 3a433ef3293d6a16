"""Bringing one lot to what its closures say: promises are moved, or displaced and told; windows are written anew."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from app.domain.adjustments.actions.record import Recorded
from app.domain.adjustments.models import Adjustment, AdjustmentLot, Displacement
from app.domain.adjustments.rules import WORTH_SHOWING, displaced_text, inside_text, moved_text, reopened_text
from app.domain.claims import actions as claims
from app.domain.claims.models import BayClaim
from app.domain.claims.queries import cars_in, lock_bays, promises_in, promises_outside_windows, promises_under
from app.domain.lots.actions import write_windows
from app.domain.lots.models import Bay, Lot
from app.domain.messages.actions import tell
from app.domain.reservations.models import Reservation
from app.domain.reservations.queries import of_claim
from app.domain.reservations.rules import push_of
from app.domain.stays.models import Stay
from app.kernel import clock
from app.kernel.db import current, in_transaction, sqlstate, transaction
from app.kernel.queue import enqueue
from app.kernel.spans import bounds

FEW = 20
"""So many lots are brought to their new state at once; more are left to jobs."""

DEADLOCK = "40P01"
ATTEMPTS = 4


def apply_few(made: Recorded) -> None:
    """Do at once what a few jobs would do a moment later; they will find it done."""
    if made.is_new and made.adjustment.kind != "free" and len(made.lot_ids) <= FEW:
        for lot_id in made.lot_ids:
            apply(made.adjustment.id, lot_id)


def apply(adjustment_id: int, lot_id: int) -> None:
    """Care for the promises of one lot under an adjustment; again changes nothing. Tries again after a dead-lock."""
    for attempt in range(ATTEMPTS):
        try:
            return _apply(adjustment_id, lot_id)
        except OperationalError as error:
            if sqlstate(error) != DEADLOCK or in_transaction() or attempt == ATTEMPTS - 1:
                raise
    return None


def _apply(adjustment_id: int, lot_id: int) -> None:
    with transaction() as session:
        row = session.get_one(AdjustmentLot, (adjustment_id, lot_id), with_for_update=True)
        adjustment = session.get_one(Adjustment, adjustment_id)
        is_over = adjustment.ended_at is not None
        if row.applied_at is not None and (row.reopened_at is not None or not is_over):
            return
        lot = session.scalars(select(Lot).where(Lot.id == lot_id).with_for_update(key_share=True)).one()
        lock_bays(lot_id)
        _care(adjustment, lot)
        row.applied_at = row.applied_at or clock.now()
        if is_over:
            _tell_of_reopening(adjustment, lot)
            row.reopened_at = clock.now()
        enqueue("gates.refresh_whitelist", lot_id=lot_id)


def _care(adjustment: Adjustment, lot: Lot) -> None:
    """Windows come last, so that what lies in none of them is what is left to displace."""
    is_shut = adjustment.kind == "suspension" and lot.state != "open"
    for claim in promises_in(lot.id) if is_shut else promises_under(adjustment.id, lot.id):
        _find_a_place(adjustment, lot, claim)
    write_windows(lot.id)
    for claim in promises_outside_windows(lot.id, clock.now()):
        _displace(adjustment, lot, claim)
    if adjustment.kind in {"close", "hours", "suspension"} and _is_closed_now(adjustment, clock.now()):
        _tell_those_inside(adjustment, lot)


def _is_closed_now(adjustment: Adjustment, now: datetime) -> bool:
    begins_at, ends_at = adjustment.during.lower, adjustment.during.upper
    assert begins_at is not None
    return adjustment.ended_at is None and begins_at <= now and (ends_at is None or now < ends_at)


def _find_a_place(adjustment: Adjustment, lot: Lot, claim: BayClaim) -> None:
    if _is_over(claim, clock.now()):
        claims.miss(claim)
    elif adjustment.kind == "bays" and claims.move_elsewhere(claim):
        _tell_of_the_other_bay(adjustment, lot, claim)
    else:
        _displace(adjustment, lot, claim)


def _is_over(claim: BayClaim, now: datetime) -> bool:
    """An offer that nobody took in time, or a reservation whose car never came."""
    expires_at, (_, ends_at) = claim.hold_expires_at, bounds(claim.during)
    return ends_at <= now or (claim.state == "held" and expires_at is not None and expires_at <= now)


def _tell_of_the_other_bay(adjustment: Adjustment, lot: Lot, claim: BayClaim) -> None:
    reservation = of_claim(claim.id)
    if reservation is None:
        return
    bay = current().get_one(Bay, claim.bay_id)
    body = moved_text(lot.name, claim.during, bay.zone, bay.number)
    subject = f"adjustment:{adjustment.id}:reservation:{reservation.id}"
    push = push_of("reservation_moved", lot.name, *bounds(claim.during))
    tell(reservation.motorist_id, "reservation_moved", subject, "预约泊位调整", body, push)


def _displace(adjustment: Adjustment, lot: Lot, claim: BayClaim) -> None:
    """Take a promise back and tell; a bay that was only on offer is let go, and another one is looked for."""
    reservation = of_claim(claim.id)
    if reservation is None:
        _withdraw_offer(adjustment, claim)
        return
    claims.displace(claim, f"adjustment:{adjustment.id}")
    message = tell(
        reservation.motorist_id, "reservation_displaced", f"reservation:{reservation.id}", "预约变更",
        displaced_text(lot.name, claim.during, adjustment.announcement),
        push_of("reservation_displaced", lot.name, *bounds(claim.during)),
    )  # fmt: skip
    row = Displacement(
        claim_id=claim.id, reservation_id=reservation.id, adjustment_id=adjustment.id, message_id=message.id,
        displaced_at=clock.now(),
    )  # fmt: skip
    current().add(row)
    current().flush()
    enqueue("adjustments.offer", displacement_id=row.id)


def _withdraw_offer(adjustment: Adjustment, claim: BayClaim) -> None:
    claims.cancel(claim, f"adjustment:{adjustment.id}")
    row = current().scalars(select(Displacement).where(Displacement.offer_claim_id == claim.id)).one_or_none()
    if row is not None:
        row.outcome = row.offer_claim_id = None
        current().flush()
        enqueue("adjustments.offer", displacement_id=row.id)


def _tell_those_inside(adjustment: Adjustment, lot: Lot) -> None:
    """Nobody who stands inside is stranded: whom we know is told, and every car may leave."""
    now = clock.now()
    push = push_of("lot_closed", lot.name, adjustment.during.lower or now, now + WORTH_SHOWING)
    for motorist_id in _motorists(cars_in(lot.id)):
        body = inside_text(lot.name, adjustment.announcement)
        tell(motorist_id, "lot_closed", f"adjustment:{adjustment.id}:lot:{lot.id}", "停车场临时调整", body, push)


def _motorists(claim_ids: Sequence[int]) -> set[int]:
    reserved = select(Reservation.motorist_id).where(Reservation.claim_id.in_(claim_ids))
    adopted = select(Stay.motorist_id).where(Stay.claim_id.in_(claim_ids), Stay.motorist_id.is_not(None))
    return set(current().scalars(reserved.union(adopted))) - {None}


def _tell_of_reopening(adjustment: Adjustment, lot: Lot) -> None:
    if lot.state != "open":
        return
    lost = current().scalars(
        select(Reservation)
        .join(Displacement, Displacement.reservation_id == Reservation.id)
        .where(
            Displacement.adjustment_id == adjustment.id, Reservation.lot_id == lot.id,
            Reservation.ends_at > clock.now(), Displacement.outcome.is_distinct_from("accepted"),
        )
    )  # fmt: skip
    for reservation in lost.all():
        subject = f"adjustment:{adjustment.id}:lot:{lot.id}"
        push = push_of("lot_reopened", lot.name, reservation.begins_at, reservation.ends_at)
        tell(reservation.motorist_id, "lot_reopened", subject, "停车场恢复开放", reopened_text(lot.name), push)
