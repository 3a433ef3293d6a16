"""Who is in the register, who is excepted, and who runs a lot."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Exists,
    Select,
    SQLColumnExpression,
    and_,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.orm import aliased

from app.domain.staff.rules import Actor, Scope, ScopeKind, reach
from app.domain.tasks.models import Task
from app.domain.units.models import (
    AgreementEnding,
    AgreementLot,
    AgreementReminder,
    OperatingAgreement,
    Operator,
    RegisterChange,
    SelfOperation,
    Unit,
    UnitFinding,
)
from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.files import StoredFile, content_of
from app.kernel.refusals import NotFound

Column = SQLColumnExpression[Any]
AGREEMENT: Final = "operating_agreement"
"""What tasks call an agreement."""


def excluded(unit_id: Column) -> Exists:
    """A condition: the unit of the outer query is excepted from opening now (N2.1)."""
    return exists().where(UnitFinding.unit_id == unit_id, UnitFinding.lifted_at.is_(None))


def secret(unit_id: Column) -> Exists:
    """A condition: the unit of the outer query handles state secrets; neither its name nor its point is public."""
    return excluded(unit_id).where(UnitFinding.ground == "secret")


def is_excluded(unit_id: int) -> bool:
    """Whether a unit is excepted from opening now (N2.1)."""
    with transaction() as session:
        return bool(session.scalar(select(excluded(literal(unit_id)))))


def is_secret(unit_id: int) -> bool:
    """Whether a unit handles state secrets (涉密单位)."""
    with transaction() as session:
        return bool(session.scalar(select(secret(literal(unit_id)))))


def runs(lot_id: Column, at: Column) -> ColumnElement[bool]:
    """A condition: somebody runs the lot of the outer query at a moment.

    An operator under an agreement in force; else the unit, unless an agreement ended and nobody has declared since
    then that the unit runs the lot itself (N3.2, N4.7).
    """
    held, ended, declared = aliased(AgreementLot), aliased(AgreementLot), aliased(SelfOperation)
    end = func.upper(ended.valid)
    taken_over = exists().where(declared.lot_id == ended.lot_id, declared.since >= end, declared.since <= at)
    return or_(
        exists().where(held.lot_id == lot_id, held.valid.contains(at)),
        not_(exists().where(ended.lot_id == lot_id, end <= at, not_(taken_over))),
    )


def is_run(lot_id: int, at: datetime) -> bool:
    """Whether somebody runs a lot at a moment; a lot that nobody runs publishes nothing new."""
    with transaction() as session:
        moment = literal(at, DateTime(timezone=True))
        return bool(session.scalar(select(runs(literal(lot_id, BigInteger), moment))))


def operators_of(lot_id: int, at: datetime) -> frozenset[int]:
    """The ids of the operators who run a lot at a moment: one, or none."""
    with transaction() as session:
        held = _operating().where(AgreementLot.lot_id == lot_id, AgreementLot.valid.contains(at))
        return frozenset(session.scalars(held))


def operator_at(lot_id: int, at: datetime) -> Operator | None:
    """The operator who runs a lot at a moment; None when the unit does."""
    with transaction() as session:
        held = _operating().where(AgreementLot.lot_id == lot_id, AgreementLot.valid.contains(at))
        return session.scalar(select(Operator).where(Operator.id.in_(held)))


def _operating() -> Select[int]:
    return select(OperatingAgreement.operator_id).join(AgreementLot, AgreementLot.agreement_id == OperatingAgreement.id)


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
            run = _operating().where(AgreementLot.unit_id == Unit.id, AgreementLot.valid.contains(clock.now()))
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


@dataclass(frozen=True)
class AgreementView:
    """An agreement with its parties, its lots, and the moment at which it truly ends."""

    agreement: OperatingAgreement
    unit: Unit
    operator: Operator
    lot_ids: Sequence[int]
    ends_at: datetime

    def holds(self, at: datetime) -> bool:
        """Whether it is in force at a moment."""
        begins_at = self.agreement.term.lower
        assert begins_at is not None
        return begins_at <= at < self.ends_at


def agreements(
    by: Actor, *, unit_id: int | None = None, ends_by: datetime | None = None, with_ended: bool = False
) -> Sequence[AgreementView]:
    """Agreements within a person's reach, the first to end first; of one unit, or ending by a moment, when asked for.

    An operator sees its own, ended or not.
    """
    end = _end(OperatingAgreement)
    wanted = _viewed(end).where(_agreed_within(reach(by, "units.see"))).order_by(end, OperatingAgreement.id)
    if unit_id is not None:
        wanted = wanted.where(OperatingAgreement.unit_id == unit_id)
    if ends_by is not None:
        wanted = wanted.where(end <= ends_by)
    if not with_ended:
        wanted = wanted.where(end > clock.now())
    with transaction() as session:
        return [AgreementView(*row) for row in session.execute(wanted)]


def agreement_seen(by: Actor, agreement_key: uuid.UUID) -> AgreementView:
    """One agreement within a person's reach. Refuses `NotFound`."""
    wanted = _viewed(_end(OperatingAgreement)).where(
        OperatingAgreement.key == agreement_key, _agreed_within(reach(by, "units.see"))
    )
    with transaction() as session:
        row = session.execute(wanted).one_or_none()
    if row is None:
        raise NotFound
    return AgreementView(*row)


def agreement_paper(by: Actor, agreement_key: uuid.UUID) -> StoredFile:
    """The signed document of an agreement within a person's reach. Refuses `NotFound`."""
    return content_of(agreement_seen(by, agreement_key).agreement.file_id)


def _viewed(end: ColumnElement[datetime]) -> Select[OperatingAgreement, Unit, Operator, list[int], datetime]:
    lots = select(func.array_agg(AgreementLot.lot_id)).where(AgreementLot.agreement_id == OperatingAgreement.id)
    return (
        select(OperatingAgreement, Unit, Operator, lots.scalar_subquery(), end)
        .join(Unit, Unit.id == OperatingAgreement.unit_id)
        .join(Operator, Operator.id == OperatingAgreement.operator_id)
    )


def _agreed_within(scopes: Sequence[Scope]) -> ColumnElement[bool]:
    own = [OperatingAgreement.operator_id == each.operator_id for each in scopes if each.operator_id is not None]
    return or_(within([each for each in scopes if each.kind is not ScopeKind.OPERATOR]), *own)


def _end(agreement: type[OperatingAgreement]) -> ColumnElement[datetime]:
    """When an agreement ends: with its term, or at its earliest ending."""
    early = select(func.min(AgreementEnding.ends_at)).where(AgreementEnding.agreement_id == agreement.id)
    end: ColumnElement[datetime] = func.least(func.upper(agreement.term), early.scalar_subquery())
    return end


def end_of(agreement_id: int) -> datetime:
    """When an agreement ends, as far as is said today."""
    with transaction() as session:
        end = session.scalar(select(_end(OperatingAgreement)).where(OperatingAgreement.id == agreement_id))
        assert end is not None
        return end


def unreminded(kind: str, ahead: timedelta, limit: int) -> Sequence[AgreementView]:
    """Agreements of whose end nobody was told, and whose lots nobody runs from then on.

    With `ahead` those that end within it; without, those that have ended.
    """
    told = exists().where(AgreementReminder.agreement_id == OperatingAgreement.id, AgreementReminder.kind == kind)
    with transaction() as session:
        now, end = clock.now(), _end(OperatingAgreement)
        is_due = and_(end > now, end <= now + ahead) if ahead else end <= now
        due = _viewed(end).where(is_due, not_(told), _leaves_lots_alone(now)).order_by(OperatingAgreement.id)
        return [AgreementView(*row) for row in session.execute(due.limit(limit))]


def answered(task_kinds: Collection[str], limit: int) -> Sequence[int]:
    """Ids of agreements about whose end a task is open, though all their lots are run from then on, or again."""
    asked = exists().where(
        Task.kind.in_(task_kinds), Task.subject == AGREEMENT, Task.subject_id == OperatingAgreement.id,
        Task.closed_at.is_(None),
    )  # fmt: skip
    with transaction() as session:
        settled = select(OperatingAgreement.id).where(asked, not_(_leaves_lots_alone(clock.now())))
        return session.scalars(settled.order_by(OperatingAgreement.id).limit(limit)).all()


def _leaves_lots_alone(now: datetime) -> Exists:
    """A condition: nobody runs one of the agreement's lots when it ends, or now when it has ended."""
    end = func.greatest(func.upper(AgreementLot.valid), now)
    return exists().where(
        AgreementLot.agreement_id == OperatingAgreement.id,
        not_(func.isempty(AgreementLot.valid)),
        not_(runs(AgreementLot.lot_id, end)),
    )
