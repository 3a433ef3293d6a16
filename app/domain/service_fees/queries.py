"""What was agreed and stated, as those see it whom it concerns: the unit, its operator, finance, regulators."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, or_, select

from app.domain.lots.models import Lot
from app.domain.service_fees.models import ServiceFeeLine, ServiceFeeStatement, ServiceFeeTerms, Sums
from app.domain.service_fees.rules import FIGURES, ISSUED, last_of
from app.domain.staff.queries import logins
from app.domain.staff.rules import Actor, Scope, ScopeKind, reach, scopes_of
from app.domain.units.models import Operator, Unit
from app.domain.units.queries import within
from app.kernel.db import transaction
from app.kernel.files import KeptPaper, StoredFile, told_of
from app.kernel.money import Fen
from app.kernel.refusals import NotFound

PAGE: Final = 200


class NoSuchFeeTerms(NotFound):
    """No such terms."""

    code = "no_such_service_fee_terms"
    message = "未找到该服务费约定"


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
class TermsPaper:
    """The signed document of terms as people see it: of which terms (their key), its number, and the kept file."""

    terms: uuid.UUID
    operator: str
    unit: str
    document_no: str
    file: KeptPaper


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


def papers(by: Actor, limit: int = PAGE) -> list[TermsPaper]:
    """The documents in which fees were agreed, the newest terms first. Refuses `NotPermitted`."""
    with transaction() as session:
        wanted = _of(ServiceFeeTerms, reach(by, "service_fees.see")).order_by(ServiceFeeTerms.id.desc()).limit(limit)
        kept = wanted.add_columns(StoredFile).join(StoredFile, StoredFile.id == ServiceFeeTerms.file_id)
        return [
            TermsPaper(row.key, operator, unit, row.document_no, told_of(file))
            for row, operator, unit, file in session.execute(kept)
        ]


def terms_by_key(scopes: Sequence[Scope], key: uuid.UUID) -> ServiceFeeTerms:
    """Terms by their public key, for whom they concern. Refuses `NoSuchFeeTerms`."""
    with transaction() as session:
        found = session.execute(_of(ServiceFeeTerms, scopes).where(ServiceFeeTerms.key == key)).one_or_none()
        if found is None:
            raise NoSuchFeeTerms
        row: ServiceFeeTerms = found[0]
        return row


def statements(
    by: Actor, *, month: date | None = None, state: str | None = None, limit: int = PAGE
) -> list[StatementView]:  # fmt: skip
    """Statements, the newest first; those not issued only to finance staff of the unit. Refuses `NotPermitted`."""
    with transaction() as session:
        wanted = _stated(by, month, state)
        rows = session.execute(wanted.limit(limit)).all()
        names = _people(*(each for row, *_ in rows for each in (row.made_by, row.decided_by)))
        return [_statement(row, operator, unit, names) for row, operator, unit in rows]


def lines(
    by: Actor, *, month: date | None = None, state: str | None = None, key: uuid.UUID | None = None, limit: int = PAGE
) -> list[LineView]:  # fmt: skip
    """The lines of such statements, or of the one with this key: the newest statement first. Refuses `NotPermitted`."""
    with transaction() as session:
        wanted = _stated(by, month, state)
        if key is not None:
            wanted = wanted.where(ServiceFeeStatement.key == key)
        told = (
            wanted.add_columns(ServiceFeeLine, Lot.name)
            .join(ServiceFeeLine, ServiceFeeLine.statement_id == ServiceFeeStatement.id)
            .join(Lot, Lot.id == ServiceFeeLine.lot_id)
            .order_by(Lot.name, ServiceFeeLine.terms_id)
        )
        return [_line(*row) for row in session.execute(told.limit(limit))]


def _stated(by: Actor, month: date | None, state: str | None) -> Select[Any, str, str]:
    """What was issued to both parties; what is drafted, or was rejected, is the business of the unit's finance."""
    own = _of(ServiceFeeStatement, reach(by, "service_fees.see"))
    making = _at_the_unit(scopes_of(by, "service_fees.see_drafts"))
    wanted = own.where(or_(ServiceFeeStatement.state == ISSUED, making)).order_by(ServiceFeeStatement.id.desc())
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
    return or_(_at_the_unit(scopes), *own)


def _at_the_unit(scopes: Sequence[Scope]) -> ColumnElement[bool]:
    return within([each for each in scopes if each.kind is not ScopeKind.OPERATOR])


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
