"""Agreements: what they say, when they end, and whose end somebody should hear of."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Exists, Select, and_, exists, func, not_, or_, select

from app.domain.staff.rules import Actor, Scope, ScopeKind, reach
from app.domain.tasks.models import Task
from app.domain.units.models import AgreementEnding, AgreementLot, AgreementReminder, OperatingAgreement, Operator, Unit
from app.domain.units.queries.register import within
from app.domain.units.queries.running import runs
from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.files import StoredFile, content_of
from app.kernel.refusals import NotFound

AGREEMENT: Final = "operating_agreement"
"""What tasks call an agreement."""


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
