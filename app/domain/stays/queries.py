"""Stays and what they cost; a motorist sees their own."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, func, select

from app.domain.claims.models import BayClaim
from app.domain.gates.models import GateDecision, GateDevice, GateEvent
from app.domain.lots.models import Bay, Lot
from app.domain.motorists.models import NumberPlate
from app.domain.policies.queries import numbers
from app.domain.pricing.queries import prices_of
from app.domain.pricing.rules import BilledFee
from app.domain.stays.models import Bill, PassageOutcome, Stay
from app.domain.stays.rules import UNPASSED_AFTER, amount_due
from app.kernel import clock
from app.kernel.db import current, transaction
from app.kernel.money import Fen
from app.kernel.refusals import NotFound


class StayNotFound(NotFound):
    """There is no such stay, or it is somebody else's."""

    code = "stay_not_found"
    message = "未找到该停车记录"


@dataclass(frozen=True)
class StayView:
    """A stay with what a motorist wants to see beside it."""

    stay: Stay
    lot: Lot
    bay: Bay | None
    plate: NumberPlate | None


@dataclass(frozen=True)
class Due:
    """What a stay costs up to a moment, what was paid, and what is still owed, in fen."""

    fee: BilledFee
    paid_fen: Fen
    due_fen: Fen
    up_to: datetime


def _views(motorist_id: int) -> Select[Stay, Lot, Bay, NumberPlate]:
    return (
        select(Stay, Lot, Bay, NumberPlate)
        .join(Lot, Lot.id == Stay.lot_id)
        .outerjoin(BayClaim, BayClaim.id == Stay.claim_id)
        .outerjoin(Bay, Bay.id == BayClaim.bay_id)
        .outerjoin(NumberPlate, NumberPlate.id == Stay.plate_id)
        .where(Stay.motorist_id == motorist_id)
    )


def one_for(motorist_id: int, key: uuid.UUID) -> StayView:
    """One of a motorist's stays. Refuses `StayNotFound`."""
    with transaction() as session:
        row = session.execute(_views(motorist_id).where(Stay.key == key)).one_or_none()
    if row is None:
        raise StayNotFound
    return StayView(*row)


def list_for(motorist_id: int, before_id: int | None, limit: int) -> Sequence[StayView]:
    """A motorist's stays, newest first; `before_id` is the id of the last one already seen."""
    query = _views(motorist_id).order_by(Stay.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(Stay.id < before_id)
    with transaction() as session:
        return [StayView(*row) for row in session.execute(query)]


def current_for(motorist_id: int) -> StayView | None:
    """The stay that a motorist is in: the car inside that entered last."""
    with transaction() as session:
        row = session.execute(
            _views(motorist_id).where(Stay.state == "parked").order_by(Stay.entered_at.desc()).limit(1)
        ).one_or_none()
    return None if row is None else StayView(*row)


def due_of(stay: Stay, at: datetime | None = None) -> Due:
    """What a stay owes at a moment (default: its exit, or now while it lasts).

    A car that paid and leaves within the grace owes nothing more.
    """
    with transaction():
        up_to = at or stay.exited_at or clock.now()
        fee = prices_of(stay.lot_id, stay.entered_at, up_to).fee(
            stay.entered_at, up_to, stay.vehicle_class, _history(stay)
        )
        paid_fen = _paid(stay.id)
        due_fen = 0 if _within_grace(stay, up_to) else amount_due(fee.fee_fen, paid_fen)
        return Due(fee, paid_fen, due_fen, up_to)


def _history(stay: Stay) -> Sequence[datetime]:
    """Entries of the same plate in the same lot on the day before, for tariffs that give free time once."""
    if stay.plate_id is None:
        return ()
    since = stay.entered_at - timedelta(days=1)
    return (
        current()
        .scalars(
            select(Stay.entered_at).where(
                Stay.plate_id == stay.plate_id, Stay.lot_id == stay.lot_id,
                Stay.entered_at >= since, Stay.entered_at < stay.entered_at,
            )
        )
        .all()
    )  # fmt: skip


def _paid(stay_id: int) -> Fen:
    paid = current().scalar(
        select(func.coalesce(func.sum(Bill.amount_fen), 0)).where(Bill.stay_id == stay_id, Bill.paid_at.is_not(None))
    )
    return int(paid or 0)


def _within_grace(stay: Stay, at: datetime) -> bool:
    last_paid = current().scalar(select(func.max(Bill.paid_at)).where(Bill.stay_id == stay.id, Bill.amount_fen > 0))
    if last_paid is None:
        return False
    return at <= last_paid + timedelta(minutes=numbers(lot_id=stay.lot_id)["leave_after_payment_minutes"])


def parked(lot_id: int, plate_id: int) -> Stay | None:
    """The stay of this plate that has not ended in this lot, locked."""
    return current().scalars(
        select(Stay).where(Stay.lot_id == lot_id, Stay.plate_id == plate_id, Stay.state == "parked").with_for_update()
    ).one_or_none()  # fmt: skip


def entered_just_before(lot_id: int, plate_id: int, at: datetime, within: timedelta) -> Stay | None:
    """The stay of this plate whose entry or exit lies so near that the passage is the same one."""
    near = (at - within, at + within)
    return current().scalars(
        select(Stay)
        .where(Stay.lot_id == lot_id, Stay.plate_id == plate_id, Stay.entered_at.between(*near))
        .order_by(Stay.id.desc())
        .limit(1)
    ).first()  # fmt: skip


def left_just_before(lot_id: int, plate_id: int, at: datetime, within: timedelta) -> Stay | None:
    """The stay of this plate that ended so shortly before or after that the passage is the same one."""
    near = (at - within, at + within)
    return current().scalars(
        select(Stay)
        .where(Stay.lot_id == lot_id, Stay.plate_id == plate_id, Stay.exited_at.between(*near))
        .order_by(Stay.id.desc())
        .limit(1)
    ).first()  # fmt: skip


def seated_without_stay(lot_id: int, plate_id: int) -> BayClaim | None:
    """The bay given at the gate to a car that has not yet been seen to pass."""
    return current().scalars(
        select(BayClaim)
        .join(Bay, Bay.id == BayClaim.bay_id)
        .where(
            Bay.lot_id == lot_id, BayClaim.plate_id == plate_id, BayClaim.state == "in_use",
            ~select(Stay.id).where(Stay.claim_id == BayClaim.id).exists(),
        )
        .order_by(BayClaim.id)
        .limit(1)
        .with_for_update(of=BayClaim)
    ).first()  # fmt: skip


def never_passed(limit: int) -> Sequence[BayClaim]:
    """Bays given at the gate to cars that did not drive in, locked."""
    return current().scalars(
        select(BayClaim)
        .where(
            BayClaim.kind == "walk_in", BayClaim.state == "in_use",
            func.lower(BayClaim.during) < clock.now() - UNPASSED_AFTER,
            ~select(Stay.id).where(Stay.claim_id == BayClaim.id).exists(),
        )
        .order_by(BayClaim.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()  # fmt: skip


def unprojected(limit: int) -> Sequence[int]:
    """Passages whose meaning nobody has written down yet, the oldest first."""
    with transaction() as session:
        return session.scalars(
            select(GateEvent.id)
            .where(
                GateEvent.type == "passed",
                ~select(PassageOutcome.event_id).where(PassageOutcome.event_id == GateEvent.id).exists(),
            )
            .order_by(GateEvent.event_time)
            .limit(limit)
        ).all()


def exit_without_entry(lot_id: int, plate_id: int, since: datetime) -> GateEvent | None:
    """A passage out that waits in review because its entry had not been told yet."""
    return current().scalars(
        select(GateEvent)
        .join(GateDevice, GateDevice.id == GateEvent.device_id)
        .join(PassageOutcome, PassageOutcome.event_id == GateEvent.id)
        .where(
            GateDevice.lot_id == lot_id, GateEvent.plate_id == plate_id, GateEvent.type == "passed",
            func.coalesce(GateEvent.direction, GateDevice.direction) == "out", GateEvent.event_time >= since,
            PassageOutcome.stay_id.is_(None),
        )
        .order_by(GateEvent.event_time)
        .limit(1)
    ).first()  # fmt: skip


def waiting_at_exit(stay: Stay, since: datetime) -> int | None:
    """The gate at which this car was told to pay a moment ago, if it was."""
    return current().scalar(
        select(GateEvent.device_id)
        .join(GateDevice, GateDevice.id == GateEvent.device_id)
        .join(
            GateDecision,
            (GateDecision.device_id == GateEvent.device_id) & (GateDecision.event_id == GateEvent.event_id),
        )
        .where(
            GateDevice.lot_id == stay.lot_id, GateEvent.plate_id == stay.plate_id,
            GateDecision.reason == "unpaid", GateDecision.decided_at >= since,
        )
        .order_by(GateDecision.id.desc())
        .limit(1)
    )  # fmt: skip


def bills_of(stay_id: int) -> Sequence[Bill]:
    """A stay's bills in the order in which they were made."""
    with transaction() as session:
        return session.scalars(select(Bill).where(Bill.stay_id == stay_id).order_by(Bill.id)).all()
