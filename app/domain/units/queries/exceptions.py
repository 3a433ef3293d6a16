"""Who is excepted from opening (N2.1)."""

from typing import Any

from sqlalchemy import Exists, SQLColumnExpression, exists, literal, select

from app.domain.units.models import UnitFinding
from app.kernel.db import transaction

Column = SQLColumnExpression[Any]


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
