"""Where lots lie, who may see them, and who may do something with them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, false, not_, or_, select, true

from app.domain.lots.models import Lot
from app.domain.staff.rules import Actor, Place, Scope, ScopeKind, permit, reach
from app.domain.units.models import AgreementLot, OperatingAgreement, Unit
from app.domain.units.queries import operators_of, secret
from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.refusals import NotFound


class LotNotFound(NotFound):
    """There is no such lot, or it is not shown to the public."""

    code = "lot_not_found"
    message = "未找到该停车场"


IS_PUBLIC: ColumnElement[bool] = and_(Lot.state.in_(("open", "suspended")), not_(secret(Lot.unit_id)))
"""Whether the public may know of a lot; every reader that shows lots asks with this condition and no other.

Of a unit that handles state secrets (涉密) neither name nor point appears anywhere (N2.1).
"""


def place_of(lot_id: int) -> Place:
    """Where a lot lies, with the operators whose agreement for it holds now. Refuses `NotFound`."""
    with transaction() as session:
        row = session.execute(
            select(Unit.district_code, Unit.id).join(Lot, Lot.unit_id == Unit.id).where(Lot.id == lot_id)
        ).one_or_none()
        if row is None:
            raise NotFound
        return Place(row.district_code, row.id, operators_of(lot_id, clock.now()))


def lot_id_of(key: uuid.UUID) -> int:
    """The row of a lot by its public key; what may be done with it is asked elsewhere. Refuses `NotFound`."""
    with transaction() as session:
        lot_id = session.scalar(select(Lot.id).where(Lot.key == key))
    if lot_id is None:
        raise NotFound
    return lot_id


def seen_lot(by: Actor, lot_key: uuid.UUID) -> Lot:
    """One lot, in whatever state, within this person's reach. Refuses `NotFound`, `NotPermitted`."""
    with transaction() as session:
        lot_id = lot_id_of(lot_key)
        permit(by, "lots.see", place_of(lot_id))
        return session.get_one(Lot, lot_id)


@dataclass(frozen=True)
class ListedLot:
    """A lot beside its unit."""

    lot: Lot
    unit: Unit


def lots_in_reach(
    by: Actor, *, unit_key: uuid.UUID | None = None, state: str | None = None, after_id: int = 0, limit: int = 200
) -> list[ListedLot]:
    """Lots within this person's reach in the order in which they were drafted; `after_id` is the last one seen."""
    with transaction() as session:
        wanted = [within(reach(by, "lots.see")), Lot.id > after_id]
        if unit_key is not None:
            wanted.append(Unit.key == unit_key)
        if state is not None:
            wanted.append(Lot.state == state)
        rows = session.execute(
            select(Lot, Unit).join(Unit, Unit.id == Lot.unit_id).where(*wanted).order_by(Lot.id).limit(limit)
        )
        return [ListedLot(lot, unit) for lot, unit in rows]


def within(scopes: Sequence[Scope]) -> ColumnElement[bool]:
    """Whether a lot of the outer query lies in one of these scopes; an operator's are those it runs now."""
    return or_(false(), *(_within(scope, clock.now()) for scope in scopes))


def _within(scope: Scope, now: datetime) -> ColumnElement[bool]:
    if scope.kind is ScopeKind.CITY:
        return true()
    if scope.kind is ScopeKind.DISTRICT:
        return Lot.unit_id.in_(select(Unit.id).where(Unit.district_code == scope.district_code))
    if scope.kind is ScopeKind.UNIT:
        return Lot.unit_id == scope.unit_id
    runs = select(AgreementLot.lot_id).join(OperatingAgreement, OperatingAgreement.id == AgreementLot.agreement_id)
    return Lot.id.in_(runs.where(OperatingAgreement.operator_id == scope.operator_id, AgreementLot.valid.contains(now)))
