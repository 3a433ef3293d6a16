"""Which settlement statements there are."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import func, select

from app.kernel.db import transaction
from app.kernel.money import Fen
from app.kernel.refusals import NotFound
from payments.payees.models import Payee
from payments.settlement.models import SettlementStatement

PAGE: Final = 200


class NoSuchSettlement(NotFound):
    """No such settlement statement."""

    code = "no_such_settlement"
    message = "未找到该结算单"


@dataclass(frozen=True)
class SettlementSheet:
    """A statement as people see it; `last` is its last day, `open_fen` what was paid out and no bank shows."""

    key: uuid.UUID
    payee: str
    number: str | None
    first: date
    last: date
    opening_fen: Fen
    paid_fen: Fen
    refunded_fen: Fen
    fee_fen: Fen
    difference_fen: Fen
    settled_fen: Fen
    closing_fen: Fen
    arrived_fen: Fen
    open_fen: Fen
    state: str
    made_by: str
    made_at: datetime
    decided_by: str | None


def settlement(key: uuid.UUID) -> SettlementStatement:
    """The statement by its public key. Refuses `NoSuchSettlement`."""
    with transaction() as session:
        found = session.scalar(select(SettlementStatement).filter_by(key=key))
        if found is None:
            raise NoSuchSettlement
        return found


def settlements(
    *, payees: Collection[int] | None = None, first: date | None = None, state: str | None = None, limit: int = PAGE
) -> list[SettlementSheet]:  # fmt: skip
    """Statements, the newest first; those that begin on `first` or later, if named."""
    wanted = (
        select(SettlementStatement, Payee.name)
        .join(Payee, Payee.id == SettlementStatement.payee_id)
        .order_by(SettlementStatement.id.desc())
        .limit(limit)
    )
    if payees is not None:
        wanted = wanted.where(SettlementStatement.payee_id.in_(payees))
    if state is not None:
        wanted = wanted.where(SettlementStatement.state == state)
    if first is not None:
        wanted = wanted.where(func.lower(SettlementStatement.days) >= first)
    with transaction() as session:
        return [_sheet(row, payee) for row, payee in session.execute(wanted)]


def _sheet(row: SettlementStatement, payee: str) -> SettlementSheet:
    assert row.days.lower is not None
    assert row.days.upper is not None
    return SettlementSheet(
        row.key, payee, row.number, row.days.lower, row.days.upper - timedelta(days=1), row.opening_fen, row.paid_fen,
        row.refunded_fen, row.fee_fen, row.difference_fen, row.settled_fen, row.closing_fen, row.arrived_fen,
        row.open_fen, row.state, row.made_by, row.made_at, row.decided_by,
    )  # fmt: skip
