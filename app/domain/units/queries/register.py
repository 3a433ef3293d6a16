"""Units and operators as people see them, each within their reach."""

import uuid
from collections.abc import Sequence

from sqlalchemy import ColumnElement, false, or_, select, true

from app.domain.staff.rules import Actor, Scope, ScopeKind, reach
from app.domain.units.models import AgreementLot, OperatingAgreement, Operator, RegisterChange, Unit, UnitFinding
from app.domain.units.queries.running import operating
from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.refusals import NotFound


def within(scopes: Sequence[Scope]) -> ColumnElement[bool]:
    """A condition on `Unit`: it lies in one of these scopes; in an operator's, while an agreement is in force."""
    return or_(false(), *(_in_scope(scope) for scope in scopes))


def _in_scope(scope: Scope) -> ColumnElement[bool]:
    match scope.kind:
        case ScopeKind.CITY:
            return true()
        case ScopeKind.DISTRICT:
            return Unit.district_code == scope.district_code
        case ScopeKind.UNIT:
            return Unit.id == scope.unit_id
        case ScopeKind.OPERATOR:
            run = operating().where(AgreementLot.unit_id == Unit.id, AgreementLot.valid.contains(clock.now()))
            return run.where(OperatingAgreement.operator_id == scope.operator_id).exists()


def units(by: Actor, *, district_code: str | None = None, words: str = "") -> Sequence[Unit]:
    """The units within a person's reach, by name; of one district, or with these words in the name, when asked for."""
    wanted = select(Unit).where(within(reach(by, "units.see"))).order_by(Unit.name)
    if district_code is not None:
        wanted = wanted.where(Unit.district_code == district_code)
    if words:
        wanted = wanted.where(Unit.name.contains(words, autoescape=True))
    with transaction() as session:
        return session.scalars(wanted).all()


def unit_seen(by: Actor, unit_key: uuid.UUID) -> Unit:
    """One unit within a person's reach. Refuses `NotFound`."""
    with transaction() as session:
        unit = session.scalar(select(Unit).where(Unit.key == unit_key, within(reach(by, "units.see"))))
    if unit is None:
        raise NotFound
    return unit


def findings(unit_id: int) -> Sequence[UnitFinding]:
    """All findings about a unit, newest first; a live one has no `lifted_at`."""
    with transaction() as session:
        return session.scalars(select(UnitFinding).filter_by(unit_id=unit_id).order_by(UnitFinding.id.desc())).all()


def changes(*, unit_id: int | None = None, operator_id: int | None = None) -> Sequence[RegisterChange]:
    """What was changed in a unit's or an operator's entry, newest first."""
    with transaction() as session:
        of_one = select(RegisterChange).filter_by(unit_id=unit_id, operator_id=operator_id)
        return session.scalars(of_one.order_by(RegisterChange.id.desc())).all()


def operators(by: Actor) -> Sequence[Operator]:
    """All operators by name; the list is no secret among those who work here. Refuses `NotPermitted`."""
    reach(by, "units.see")
    with transaction() as session:
        return session.scalars(select(Operator).order_by(Operator.name)).all()


def operator_by_key(operator_key: uuid.UUID) -> Operator:
    """One operator. Refuses `NotFound`."""
    with transaction() as session:
        operator = session.scalar(select(Operator).filter_by(key=operator_key))
    if operator is None:
        raise NotFound
    return operator
