"""Who runs a lot: an operator under an agreement, or its unit (N3.2)."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Select,
    SQLColumnExpression,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
)
from sqlalchemy.orm import aliased

from app.domain.units.models import AgreementLot, OperatingAgreement, Operator, SelfOperation
from app.kernel.db import transaction

Column = SQLColumnExpression[Any]


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
        held = operating().where(AgreementLot.lot_id == lot_id, AgreementLot.valid.contains(at))
        return frozenset(session.scalars(held))


def operator_at(lot_id: int, at: datetime) -> Operator | None:
    """The operator who runs a lot at a moment; None when the unit does."""
    with transaction() as session:
        held = operating().where(AgreementLot.lot_id == lot_id, AgreementLot.valid.contains(at))
        return session.scalar(select(Operator).where(Operator.id.in_(held)))


def operating() -> Select[int]:
    """The operators' ids of all agreements with the lots that they cover, to be narrowed by whoever asks."""
    return select(OperatingAgreement.operator_id).join(AgreementLot, AgreementLot.agreement_id == OperatingAgreement.id)
