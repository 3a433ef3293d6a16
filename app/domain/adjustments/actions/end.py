"""Ending an adjustment before its time: windows come back, fees are asked for again, nothing is silently kept."""

import uuid
from collections.abc import Sequence

from sqlalchemy import select

from app.domain.adjustments.actions.apply import FEW, apply
from app.domain.adjustments.actions.record import ask_to_apply, oversees_all, places
from app.domain.adjustments.models import Adjustment, AdjustmentLot
from app.domain.adjustments.rules import ReasonMissing, Where
from app.domain.lots.actions import open_again
from app.domain.pricing.actions import charge_again
from app.domain.staff.rules import Actor, Place, permit
from app.domain.tasks.actions import settle_tasks
from app.kernel import audit, clock
from app.kernel.db import current, transaction
from app.kernel.refusals import Conflict, NotAllowed, NotFound


class AdjustmentOver(Conflict):
    """The adjustment has ended."""

    code = "adjustment_over"
    message = "该调整已结束"


class OrderedByRegulator(NotAllowed):
    """A regulator closed or suspended; the unit and its operator do not take that back."""

    code = "ordered_by_regulator"
    message = "该调整由监管部门作出，须由监管部门结束"


class SuspensionStands(Conflict):
    """A suspended lot is opened again by its own step, which asks whether it may be."""

    code = "suspension_stands"
    message = "暂停开放须通过恢复开放（lots reopen）结束"


def end(by: Actor, adjustment_key: uuid.UUID, because: str) -> Adjustment:
    """Let an adjustment end now. Motorists who lost a reservation there hear that the lot is open again.

    Refuses `NotFound`, `NotPermitted`, `ReasonMissing`, `AdjustmentOver`, `SuspensionStands`,
    `OrderedByRegulator`.
    """
    with transaction():
        row = _locked(adjustment_key)
        lot_ids = _lots(row)
        there = places(Where(row.scope, district_code=row.district_code), lot_ids)
        for place in there:
            permit(by, "adjustments.end", place)
        refuse_unless_theirs(row, by, there)
        _end(row, by, because)
        if row.kind != "free":
            ask_to_apply(row.id, lot_ids)
    if row.kind != "free" and len(lot_ids) <= FEW:
        for lot_id in lot_ids:
            apply(row.id, lot_id)
    return row


def refuse_unless_theirs(row: Adjustment, by: Actor, there: Sequence[Place]) -> None:
    """Refuse `OrderedByRegulator` to who is no regulator of the places of an adjustment that one made."""
    if row.ordered and not oversees_all(by, there):
        raise OrderedByRegulator


def _locked(key: uuid.UUID) -> Adjustment:
    row = current().scalars(select(Adjustment).where(Adjustment.key == key).with_for_update()).one_or_none()
    if row is None:
        raise NotFound
    return row


def _lots(row: Adjustment) -> list[int]:
    touched = select(AdjustmentLot.lot_id).where(AdjustmentLot.adjustment_id == row.id).order_by(AdjustmentLot.lot_id)
    return list(current().scalars(touched))


def _end(row: Adjustment, by: Actor, because: str) -> None:
    now = clock.now()
    if not because.strip():
        raise ReasonMissing
    if row.kind == "calendar" or row.ended_at is not None or (row.during.upper is not None and row.during.upper <= now):
        raise AdjustmentOver
    if row.kind == "suspension":
        raise SuspensionStands
    finish(row, by, because)


def finish(row: Adjustment, by: Actor, because: str) -> None:
    """An adjustment is over from now on: closures, free time and announcements end, and nobody need look again."""
    now = clock.now()
    row.ended_at, row.ended_by, row.ended_because = now, by.account_id, because.strip()
    current().flush()
    open_again(row.id, now)
    charge_again(row.id, now)
    settle_tasks("adjustment_review", "adjustment", row.id, "adjustment ended")
    audit.record("adjustments.end", "adjustment", row.id, by.label)
