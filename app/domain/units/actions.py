"""Registering who opens and who operates."""

from datetime import time

from sqlalchemy.dialects.postgresql import insert

from app.domain.units.models import District, Operator, Unit
from app.domain.units.rules import DISTRICTS, usual_authority
from app.kernel import audit
from app.kernel.db import current, transaction


def know_districts() -> None:
    """Store the city's districts; those already known stay as they are."""
    with transaction():
        current().execute(
            insert(District)
            .values([{"code": code, "name": name} for code, name in DISTRICTS.items()])
            .on_conflict_do_nothing()
        )


def open_unit(
    name: str, kind: str, level: str, district_code: str, office: tuple[time, time], actor: str
) -> Unit:  # fmt: skip
    """Register an opening unit with its office hours on work days (N2.1, N2.2.1)."""
    with transaction() as session:
        unit = Unit(
            name=name, kind=kind, level=level, district_code=district_code,
            office_begins=office[0], office_ends=office[1], authority=usual_authority(kind, level),
        )  # fmt: skip
        session.add(unit)
        session.flush()
        audit.record("units.open_unit", "unit", unit.id, actor)
        return unit


def register_operator(name: str, actor: str) -> Operator:
    """Register an operator (N3.2)."""
    with transaction() as session:
        operator = Operator(name=name)
        session.add(operator)
        session.flush()
        audit.record("units.register_operator", "operator", operator.id, actor)
        return operator
