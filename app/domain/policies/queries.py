"""Which number holds here and now."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, SQLColumnExpression, and_, case, func, literal, or_, select

from app.domain.policies.models import PolicyNumber
from app.domain.policies.rules import CITY_DEFAULTS, narrowest
from app.domain.staff.rules import Actor, reach
from app.kernel import clock
from app.kernel.db import transaction


def numbers(*, lot_id: int = 0, unit_id: int = 0) -> Mapping[str, int]:
    """All policy numbers by name as they hold at this moment for one lot of one unit."""
    with transaction() as session:
        return narrowed(session.scalar(select(rows_for(literal(lot_id), literal(unit_id), literal(clock.now())))))


def rows_for(
    lot_id: SQLColumnExpression[int], unit_id: SQLColumnExpression[int], at: SQLColumnExpression[datetime]
) -> ScalarSelect[Any]:
    """All rows that hold at a moment for the lot of each row, as one value for `narrowed`."""
    return (
        select(func.jsonb_agg(func.jsonb_build_array(PolicyNumber.name, PolicyNumber.scope, PolicyNumber.value)))
        .where(
            PolicyNumber.valid.contains(at),
            or_(
                PolicyNumber.scope == "city",
                and_(PolicyNumber.scope == "unit", PolicyNumber.scope_id == unit_id),
                and_(PolicyNumber.scope == "lot", PolicyNumber.scope_id == lot_id),
            ),
        )
        .correlate_except(PolicyNumber)
        .scalar_subquery()
    )


def narrowed(rows: Sequence[tuple[str, str, int]] | None) -> Mapping[str, int]:
    """Every number by name, as the narrowest of these (name, scope, value) says it, else the city's default."""
    if not rows:
        return CITY_DEFAULTS
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for name, scope, value in rows:
        found[name].append((scope, value))
    return {name: narrowest(name, found[name]) for name in CITY_DEFAULTS}


def number_for(
    name: str, lot_id: SQLColumnExpression[int], unit_id: SQLColumnExpression[int], at: datetime
) -> ColumnElement[int]:
    """One number as it holds at a moment for the lot of each row: an expression for statements about many lots."""
    narrowest_first = case({"lot": 1, "unit": 2}, value=PolicyNumber.scope, else_=3)
    holding = (
        select(PolicyNumber.value)
        .where(
            PolicyNumber.name == name,
            PolicyNumber.valid.contains(at),
            or_(
                PolicyNumber.scope == "city",
                and_(PolicyNumber.scope == "unit", PolicyNumber.scope_id == unit_id),
                and_(PolicyNumber.scope == "lot", PolicyNumber.scope_id == lot_id),
            ),
        )
        .order_by(narrowest_first)
        .limit(1)
        .correlate_except(PolicyNumber)
        .scalar_subquery()
    )
    return func.coalesce(holding, CITY_DEFAULTS[name])


@dataclass(frozen=True)
class NumberView:
    """One number as it holds now or later; without a beginning it is the value that nobody has set."""

    name: str
    scope: str
    scope_id: int
    value: int
    begins_at: datetime | None
    ends_at: datetime | None


def settings(by: Actor) -> list[NumberView]:
    """Every number by name: the city's value or default, then what is set elsewhere or for later.

    Refuses `NotPermitted`.
    """
    with transaction() as session:
        reach(by, "policies.see")
        rows = session.scalars(
            select(PolicyNumber)
            .where(or_(func.upper_inf(PolicyNumber.valid), func.upper(PolicyNumber.valid) > clock.now()))
            .order_by(PolicyNumber.name, PolicyNumber.scope, PolicyNumber.scope_id, PolicyNumber.valid)
        ).all()
        now = clock.now()
    known = {row.name for row in rows if row.scope == "city" and now in row.valid}
    told = [NumberView(row.name, row.scope, row.scope_id, row.value, row.valid.lower, row.valid.upper) for row in rows]
    told += [
        NumberView(name, "city", 0, value, None, None) for name, value in CITY_DEFAULTS.items() if name not in known
    ]
    return sorted(told, key=lambda each: (each.name, each.scope, each.scope_id, each.begins_at or now))
