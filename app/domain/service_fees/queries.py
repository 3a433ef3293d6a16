"""What was agreed and stated, as those see it whom it concerns: the unit, its operator, finance, regulators."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, or_, select

from app.domain.lots.models import Lot
from app.domain.service_fees.models import ServiceFeeLine, ServiceFeeStatement, ServiceFeeTerms, Sums
from app.domain.service_fees.rules import FIGURES, last_of
from app.domain.staff.queries import logins
from app.domain.staff.rules import Actor, Scope, ScopeKind, reach
from app.domain.units.models import Operator, Unit
from app.domain.units.queries import within
from app.kernel.db import transaction
from app.kernel.money import Fen

PAGE: Final = 200


@dataclass(frozen=True)
class TermsView:
    """Terms as people see them; no `last` day: until they are ended."""

    key: uuid.UUID
    operator: str
    unit: str
    first: date | None
    last: date | None
    permille: int
    monthly_fen: Fen
    document_no: str
    recorded_by: str
    confirmed_by: str | None


@dataclass(frozen=True)
class StatementView:
    """A statement as people see it; `month` is its first day, `figures` its sums in fen by their names."""

    key: uuid.UUID
    number: str | None
    operator: str
    unit: str
    month: date
    state: str
    made_by: str
    decided_by: str | None
    figures: dict[str, Fen]


@dataclass(frozen=True)
class LineView:
    """A line of a statement as people see it: one lot under one set of terms."""

    number: str | None
    operator: str
    unit: str
    month: date
    state: str
    lot: str
    days: int
    permille: int
    monthly_fen: Fen
    figures: dict[str, Fen]


def terms(by: Actor, limit: int = PAGE) -> list[TermsView]:
    """What was agreed, the newest first. Refuses `NotPermitted`."""
    with transaction() as session:
        wanted = _of(ServiceFeeTerms, reach(by, "service_fees.see")).order_by(ServiceFeeTerms.id.desc())
        rows = session.execute(wanted.limit(limit)).all()
        names = _people(*(each for row, *_ in rows for each in (row.recorded_by, row.confirmed_by)))
        return [_terms(row, operator, unit, names) for row, operator, unit in rows]


def statements(
    by: Actor, *, month: date | None = None, state: str | None = None, limit: int = PAGE
) -> list[StatementView]:  # fmt: skip
    """Statements, the newest first. Refuses `NotPermitted`."""
    with transaction() as session:
        wanted = _stated(reach(by, "service_fees.see"), month, state)
        rows = session.execute(wanted.limit(limit)).all()
        names = _people(*(each for row, *_ in rows for each in (row.made_by, row.decided_by)))
        return [_statement(row, operator, unit, names) for row, operator, unit in rows]


def lines(
    by: Actor, *, month: date | None = None, state: str | None = None, key: uuid.UUID | None = None, limit: int = PAGE
) -> list[LineView]:  # fmt: skip
    """The lines of statements, or of the one with this key: the newest statement first. Refuses `NotPermitted`."""
    with transaction() as session:
        wanted = _stated(reach(by, "service_fees.see"), month, state)
        if key is not None:
            wanted = wanted.where(ServiceFeeStatement.key == key)
        told = (
            wanted.add_columns(ServiceFeeLine, Lot.name)
            .join(ServiceFeeLine, ServiceFeeLine.statement_id == ServiceFeeStatement.id)
            .join(Lot, Lot.id == ServiceFeeLine.lot_id)
            .order_by(Lot.name, ServiceFeeLine.terms_id)
        )
        return [_line(*row) for row in session.execute(told.limit(limit))]


def _stated(scopes: Sequence[Scope], month: date | None, state: str | None) -> Select[Any, str, str]:
    wanted = _of(ServiceFeeStatement, scopes).order_by(ServiceFeeStatement.id.desc())
    if month is not None:
        wanted = wanted.where(ServiceFeeStatement.month == month)
    if state is not None:
        wanted = wanted.where(ServiceFeeStatement.state == state)
    return wanted


def _of(table: type[ServiceFeeTerms | ServiceFeeStatement], scopes: Sequence[Scope]) -> Select[Any, str, str]:
    return (
        select(table, Operator.name, Unit.name)
        .join(Operator, Operator.id == table.operator_id)
        .join(Unit, Unit.id == table.unit_id)
        .where(_concerns(table, scopes))
    )


def _concerns(table: type[ServiceFeeTerms | ServiceFeeStatement], scopes: Sequence[Scope]) -> ColumnElement[bool]:
    """Whoever is of an operator sees its own, whether an agreement is still in force or not."""
    own = [table.operator_id == each.operator_id for each in scopes if each.operator_id is not None]
    return or_(within([each for each in scopes if each.kind is not ScopeKind.OPERATOR]), *own)


def _people(*account_ids: int | None) -> dict[int, str]:
    return logins([each for each in account_ids if each is not None])


def _terms(row: ServiceFeeTerms, operator: str, unit: str, names: dict[int, str]) -> TermsView:
    return TermsView(
        row.key, operator, unit, row.valid.lower, last_of(row.valid), row.permille, row.monthly_fen, row.document_no,
        names[row.recorded_by], names.get(row.confirmed_by or 0),
    )  # fmt: skip


def _statement(row: ServiceFeeStatement, operator: str, unit: str, names: dict[int, str]) -> StatementView:
    return StatementView(
        row.key, row.number, operator, unit, row.month, row.state, names[row.made_by], names.get(row.decided_by or 0),
        figures_of(row),
    )  # fmt: skip


def _line(of: ServiceFeeStatement, operator: str, unit: str, row: ServiceFeeLine, lot: str) -> LineView:
    return LineView(
        of.number, operator, unit, of.month, of.state, lot, row.days, row.permille, row.monthly_fen, figures_of(row)
    )


def figures_of(row: Sums) -> dict[str, Fen]:
    """The figures of a statement or of a line by their names, in fen."""
    return {name: getattr(row, name) for name in FIGURES}
