"""What takes a lot out of reach - suspending, a failed check, a finding on its unit, withdrawing - and its return.

The deeds are the lots' own; here the reservations that they touch are cared for as by any adjustment (N5.6): displaced,
told, offered a bay near by, free of penalty. Until the lot is open again no promise is made there and no car let in;
cars inside may stay and leave.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, select

from app.domain.adjustments.actions.apply import FEW, apply, apply_few
from app.domain.adjustments.actions.end import finish, refuse_unless_theirs
from app.domain.adjustments.actions.record import Change, Recorded, ask_to_apply, record
from app.domain.adjustments.models import Adjustment, AdjustmentLot
from app.domain.adjustments.rules import SUSPENDED, Where, Why
from app.domain.lots import actions as lots
from app.domain.lots.models import FacilityCheck, Lot, LotStep
from app.domain.lots.queries.places import lot_id_of, place_of
from app.domain.lots.rules.shortfalls import Shortfall
from app.domain.staff.rules import Actor
from app.domain.units.models import UnitFinding
from app.kernel import clock
from app.kernel.db import current, transaction
from app.kernel.files import Paper
from app.kernel.spans import span


def suspend(by: Actor, lot_key: uuid.UUID, why: str) -> Lot:
    """Suspend an open lot, caring for its reservations; `why` is for the record, the public reads other words.

    Refuses `NotFound`, `NotPermitted`, `WrongState`, `ReasonMissing`.
    """
    with transaction():
        lot = lots.suspend(by, lot_key, why)
        made = _interrupted(by, [lot.id])
    _care(made)
    return lot


def check_facilities(
    by: Actor, lot_key: uuid.UUID, found: lots.Found, photo: Paper | None = None, checked_at: datetime | None = None
) -> FacilityCheck:
    """Record a check of facilities; an open lot that fails is suspended, its reservations cared for (N2.2.4).

    Refuses `NotFound`, `NotPermitted`, `CheckWrong`, `FileRefused`.
    """
    with transaction():
        check = lots.check_facilities(by, lot_key, found, photo, checked_at)
        made = _interrupted(by, [check.lot_id])
    _care(made)
    return check


def exclude(
    by: Actor, unit_key: uuid.UUID, ground: str, reason: str, evidence: str, paper: Paper | None = None
) -> UnitFinding:  # fmt: skip
    """Except a unit from opening; its open lots are suspended, their reservations cared for (N2.1).

    No motorist reads the ground, the reason or the evidence. Refuses what `lots.actions.exclude` refuses.
    """
    with transaction() as session:
        finding = lots.exclude(by, unit_key, ground, reason, evidence, paper)
        made = _interrupted(by, session.scalars(select(Lot.id).where(Lot.unit_id == finding.unit_id)).all())
    _care(made)
    return finding


def reopen(by: Actor, lot_key: uuid.UUID, why: str) -> list[Shortfall]:
    """Open a suspended lot again; who lost a reservation there hears of it. Returns what falls short.

    Refuses `NotFound`, `NotPermitted`, `WrongState`, `ReasonMissing`, `LotFallsShort`, and `OrderedByRegulator` to
    people of the unit when a regulator suspended it.
    """
    with transaction():
        found = lots.reopen(by, lot_key, why)
        lot_id = lot_id_of(lot_key)
        for row in _live(lot_id):
            refuse_unless_theirs(row, by, [place_of(lot_id)])
        over = _over(by, lot_id, why)
    _apply(over, lot_id)
    return found


def withdraw(by: Actor, lot_key: uuid.UUID, why: str) -> Lot:
    """End a lot's life for good; an open one is suspended before, so that its reservations are cared for.

    Refuses `NotFound`, `NotPermitted`, `WrongState`, `ReasonMissing`; `PromisesStand` while jobs still care for them.
    """
    if _is_open(lot_key):
        suspend(by, lot_key, why)
    with transaction():
        lot = lots.withdraw(by, lot_key, why)
        over = _over(by, lot.id, why)
    _apply(over, lot.id)
    return lot


def _is_open(lot_key: uuid.UUID) -> bool:
    with transaction() as session:
        return session.scalar(select(Lot.state).where(Lot.key == lot_key)) == "open"


def _interrupted(by: Actor, lot_ids: Sequence[int]) -> list[Recorded]:
    """One adjustment for each of these lots that is suspended and that none cares for yet."""
    cared_for = (
        exists()
        .where(AdjustmentLot.lot_id == Lot.id, AdjustmentLot.adjustment_id == Adjustment.id, _is_live())
        .correlate(Lot)
    )
    suspended = select(Lot).where(Lot.id.in_(lot_ids), Lot.state == "suspended", ~cared_for).order_by(Lot.id)
    return [_interruption(by, lot) for lot in current().scalars(suspended).all()]


def _is_live() -> ColumnElement[bool]:
    return and_(Adjustment.kind == "suspension", Adjustment.ended_at.is_(None))


def _interruption(by: Actor, lot: Lot) -> Recorded:
    why = Why("suspension", _last_reason(lot.id), SUSPENDED)
    made = record(by, Change("suspension", Where.lots(lot.key), span(clock.now(), None), why), [lot.id], None)
    ask_to_apply(made.adjustment.id, made.lot_ids)
    return made


def _last_reason(lot_id: int) -> str:
    step = select(LotStep.why).where(LotStep.lot_id == lot_id, LotStep.event == "suspend")
    return current().scalars(step.order_by(LotStep.id.desc()).limit(1)).one()


def _care(made: Sequence[Recorded]) -> None:
    """At once for a few lots; of a unit that has many, jobs care."""
    for each in made if len(made) <= FEW else ():
        apply_few(each)


def _live(lot_id: int) -> Sequence[Adjustment]:
    live = select(Adjustment).join(AdjustmentLot).where(AdjustmentLot.lot_id == lot_id, _is_live())
    return current().scalars(live.order_by(Adjustment.id).with_for_update(of=Adjustment)).all()


def _over(by: Actor, lot_id: int, because: str) -> list[int]:
    """The suspension of a lot is over; ids of what is to be applied for it."""
    rows = _live(lot_id)
    for row in rows:
        finish(row, by, because)
        ask_to_apply(row.id, [lot_id])
    return [row.id for row in rows]


def _apply(adjustment_ids: Sequence[int], lot_id: int) -> None:
    for adjustment_id in adjustment_ids:
        apply(adjustment_id, lot_id)
