"""Stays and what they cost; a motorist sees their own."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import aliased

from app.domain.claims.models import BayClaim
from app.domain.gates.models import GateCommand, GateDecision, GateDevice, GateEvent
from app.domain.lots.models import Bay, Lot
from app.domain.lots.queries import policy_of
from app.domain.motorists.models import NumberPlate
from app.domain.policies.queries import numbers
from app.domain.pricing.queries import free_times, prices_of
from app.domain.pricing.rules import NO_HISTORY, BilledFee, History
from app.domain.stays.models import Bill, Misreading, PassageOutcome, Stay
from app.domain.stays.rules import UNPASSED_AFTER, PaidBill, amount_due, fee_owed
from app.domain.tasks.models import Task
from app.kernel import clock, crypto
from app.kernel.db import current, transaction
from app.kernel.money import Fen
from app.kernel.refusals import NotFound
from payments.charges.models import Charge
from payments.charges.queries import PAID


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


def in_locking_order(keys: Collection[uuid.UUID]) -> Sequence[uuid.UUID]:
    """The same stays in the one order in which several are locked."""
    with transaction() as session:
        return session.scalars(select(Stay.key).where(Stay.key.in_(keys)).order_by(Stay.id)).all()


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

    A car that paid and leaves within the grace owes nothing more, a settled stay never again. A car that never
    seems to leave is billed for so long and no longer.
    """
    with transaction():
        policy = policy_of(stay.lot_id)
        longest = stay.entered_at + timedelta(minutes=policy["longest_billed_minutes"])
        moment = at or stay.exited_at or clock.now()
        up_to = min(moment, longest)
        prices = prices_of(stay.lot_id, stay.entered_at, up_to)
        free = [each.reaching(up_to, moment) for each in free_times(stay.lot_id, stay.entered_at, moment)]
        fee = prices.fee(stay.entered_at, up_to, stay.vehicle_class, _history(stay), free)
        paid = _paid(stay.id)
        grace = timedelta(minutes=policy["leave_after_payment_minutes"])
        due_fen = 0 if stay.state == "settled" else amount_due(fee_owed(fee.fee_fen, moment, paid, grace), paid)
        return Due(fee, sum(bill.amount_fen for bill in paid), due_fen, up_to)


def _history(stay: Stay) -> History:
    """The plate's latest stays in the same lot before this one, for tariffs that look at them."""
    if stay.plate_id is None:
        return NO_HISTORY
    earlier = (
        select(Stay.entered_at, func.coalesce(Stay.exited_at, Stay.entered_at))
        .where(Stay.plate_id == stay.plate_id, Stay.lot_id == stay.lot_id, Stay.entered_at < stay.entered_at)
        .order_by(Stay.entered_at.desc())
        .limit(REMEMBERED_STAYS)
    )
    return [(entry, exit_) for entry, exit_ in current().execute(earlier)]


REMEMBERED_STAYS = 100
"""No tariff looks further back: a vehicle's free time is gone after the first of them, a day has fewer."""


def _paid(stay_id: int) -> Sequence[PaidBill]:
    bills = current().scalars(select(Bill).where(Bill.stay_id == stay_id, Bill.paid_at.is_not(None)))
    return [
        PaidBill(bill.up_to, bill.fee_fen, bill.amount_fen, bill.paid_at) for bill in bills if bill.paid_at is not None
    ]


def visit_code(claim_id: int) -> str:
    """The code of a visit for the barrier's screen: nobody can guess it, and it need not be stored."""
    return crypto.blind_index("stay.code", str(claim_id)).hex()


def code_of(stay: Stay) -> str:
    """The code of a stay; one that has no bay is known by its entry."""
    return visit_code(stay.claim_id) if stay.claim_id is not None else unseated_code(stay.entry_event_id)


def unseated_code(event_id: int) -> str:
    """The code of a car that is inside without a bay."""
    return crypto.blind_index("stay.code", f"event {event_id}").hex()


def parked(lot_id: int, plate_id: int) -> Stay | None:
    """The stay of this plate that has not ended in this lot, locked."""
    return current().scalars(
        select(Stay).where(Stay.lot_id == lot_id, Stay.plate_id == plate_id, Stay.state == "parked").with_for_update()
    ).one_or_none()  # fmt: skip


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


def never_passed(limit: int) -> Sequence[int]:
    """Ids of bays' claims given at the gate to cars that were not seen to drive in."""
    with transaction() as session:
        return session.scalars(
            select(BayClaim.id)
            .where(
                BayClaim.kind == "walk_in", BayClaim.state == "in_use",
                func.lower(BayClaim.during) < clock.now() - UNPASSED_AFTER,
                ~select(Stay.id).where(Stay.claim_id == BayClaim.id).exists(),
            )
            .order_by(BayClaim.id)
            .limit(limit)
        ).all()  # fmt: skip


def has_stay(claim_id: int) -> bool:
    """Whether a car has driven in under this claim; asked with the claim locked, the answer stands."""
    return current().scalar(select(Stay.id).where(Stay.claim_id == claim_id)) is not None


def staying_too_long(limit: int) -> Sequence[tuple[int, int]]:
    """Stays and their lots, by ids, of cars inside longer than a stay is billed, about which nobody was asked yet."""
    with transaction() as session:
        longest = timedelta(minutes=numbers()["longest_billed_minutes"])
        asked = select(Task.id).where(Task.kind == "stay_too_long", Task.subject_id == Stay.id)
        rows = session.execute(
            select(Stay.id, Stay.lot_id)
            .where(Stay.state == "parked", Stay.entered_at < clock.now() - longest, ~asked.exists())
            .order_by(Stay.id)
            .limit(limit)
        ).all()
        return [(row.id, row.lot_id) for row in rows]


def paid_and_unnoticed(limit: int) -> Sequence[uuid.UUID]:
    """Keys of bills whose charge is paid and whose stay has not heard of it."""
    with transaction() as session:
        return session.scalars(
            select(Bill.key)
            .join(Charge, Charge.key == Bill.charge_key)
            .where(Bill.paid_at.is_(None), Charge.state.in_(PAID))
            .order_by(Bill.id)
            .limit(limit)
        ).all()


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


def waiting_at_exit(stay: Stay, since: datetime) -> int | None:
    """The gate at which this car was told to pay and where nothing has happened since, if there is one."""
    later = aliased(GateEvent)
    let_out = select(GateCommand.id).where(
        GateCommand.device_id == GateEvent.device_id, GateCommand.type == "open",
        GateCommand.cause == f"stay:{stay.id}", GateCommand.created_at >= GateDecision.decided_at,
    )  # fmt: skip
    misread = select(Misreading.event_id).where(Misreading.event_id == GateEvent.id, Misreading.stay_id == stay.id)
    came_after = select(later.id).where(
        later.device_id == GateEvent.device_id,
        later.id > GateEvent.id,
        later.verified,
        later.type.in_(("arrived", "passed")),
    )
    return current().scalar(
        select(GateEvent.device_id)
        .join(GateDevice, GateDevice.id == GateEvent.device_id)
        .join(
            GateDecision,
            (GateDecision.device_id == GateEvent.device_id) & (GateDecision.event_id == GateEvent.event_id),
        )
        .where(
            GateDevice.lot_id == stay.lot_id, or_(GateEvent.plate_id == stay.plate_id, misread.exists()),
            GateDecision.reason == "unpaid", GateDecision.decided_at >= since, ~came_after.exists(),
            ~let_out.exists(),
        )
        .order_by(GateDecision.id.desc())
        .limit(1)
    )  # fmt: skip


def bills_of(stay_id: int) -> Sequence[Bill]:
    """A stay's bills in the order in which they were made."""
    with transaction() as session:
        return session.scalars(select(Bill).where(Bill.stay_id == stay_id).order_by(Bill.id)).all()
