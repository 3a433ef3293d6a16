"""Who owes, whether that keeps them from reserving, which step is due, and where one may pay later."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from sqlalchemy import (
    ColumnElement,
    Interval,
    Select,
    SQLColumnExpression,
    bindparam,
    case,
    cast,
    literal,
    select,
    type_coerce,
)

from app.domain.arrears.models import Arrear, ArrearPause, PayLater
from app.domain.arrears.rules import STEPS, ArrearsOwed
from app.domain.lots.models import Lot
from app.domain.policies.queries import number_for
from app.kernel import clock
from app.kernel.db import current, transaction

Chosen = TypeVar("Chosen", bound=Select[*tuple[Any, ...]])

IS_PAUSED: Final = (
    select(ArrearPause.id).where(ArrearPause.arrear_id == Arrear.id, ArrearPause.ended_at.is_(None)).exists()
)


def holds_back(motorist_id: SQLColumnExpression[int]) -> ColumnElement[bool]:
    """Whether a debt keeps the motorist of each row from reserving anew; answered by one small index."""
    return (
        select(Arrear.id)
        .where(Arrear.motorist_id == motorist_id, Arrear.owing, Arrear.held_at.is_not(None), ~IS_PAUSED)
        .exists()
    )


_HOLDING: Final = (
    select(Arrear.stay_key, Arrear.amount_fen)
    .where(Arrear.motorist_id == bindparam("motorist_id"), Arrear.owing, Arrear.held_at.is_not(None), ~IS_PAUSED)
    .order_by(Arrear.id)
)


def refuse_owing(motorist_id: int) -> None:
    """Refuse `ArrearsOwed` while a debt keeps this motorist from reserving.

    With the motorist's row locked by the caller no hold begins until the transaction ends; a payment that is committed
    has ended its own.
    """
    with transaction() as session:
        rows = session.execute(_HOLDING, {"motorist_id": motorist_id}).all()
    if rows:
        raise ArrearsOwed(
            amount_fen=sum(row.amount_fen for row in rows), stay_keys=[str(row.stay_key) for row in rows]
        )  # fmt: skip


def lets_pay_later(lot_id: int, at: datetime) -> bool:
    """Whether an approved basis lets cars leave the lot before they pay."""
    with transaction() as session:
        basis = select(PayLater.id).where(
            PayLater.lot_id == lot_id, PayLater.valid.contains(at), PayLater.approved_by.is_not(None),
            PayLater.ended_by.is_(None),
        )  # fmt: skip
        return bool(session.scalar(select(basis.exists())))


@dataclass(frozen=True)
class OwnArrear:
    """What a motorist owes for one stay; `stops_reservations`: until it is paid nothing new can be reserved."""

    stay_key: uuid.UUID
    lot: Lot
    left_at: datetime
    amount_fen: int
    is_paused: bool
    stops_reservations: bool


def own_arrears(motorist_id: int) -> Sequence[OwnArrear]:
    """All that a motorist owes for stays that have ended, the oldest first."""
    with transaction() as session:
        rows = session.execute(
            select(Arrear, Lot, IS_PAUSED)
            .join(Lot, Lot.id == Arrear.lot_id)
            .where(Arrear.motorist_id == motorist_id, Arrear.owing)
            .order_by(Arrear.id)
        )
        return [
            OwnArrear(
                row.stay_key, lot, row.left_at, row.amount_fen, is_paused, row.held_at is not None and not is_paused
            )
            for row, lot, is_paused in rows
        ]


@dataclass(frozen=True)
class DueStep:
    """A step that is due against one motorist."""

    arrear: Arrear
    lot_name: str
    step: str


def arrears_to_chase(limit: int) -> Sequence[tuple[int, int]]:
    """Arrears with a step due, and their motorists, by ids."""
    with transaction() as session:
        rows = session.execute(_due(select(Arrear.id, Arrear.motorist_id)).order_by(Arrear.id).limit(limit))
        return [(arrear_id, motorist_id) for arrear_id, motorist_id in rows if motorist_id is not None]


def step_due(arrear_id: int, motorist_id: int) -> DueStep | None:
    """The step due for one arrear, locked: it is owed by this motorist until the transaction ends."""
    still = select(Arrear.id).where(Arrear.id == arrear_id, Arrear.motorist_id == motorist_id, Arrear.owing)
    if current().scalar(still.with_for_update()) is None:
        return None
    row = current().execute(_due(select(Arrear, Lot.name, _NEXT)).where(Arrear.id == arrear_id)).one_or_none()
    return None if row is None else DueStep(*row)


_NEXT: Final = case(
    (Arrear.noticed_at.is_(None), literal("notice")),
    (Arrear.reminded_at.is_(None), literal("reminder")),
    else_=literal("hold"),
)


def _due(wanted: Chosen) -> Chosen:
    now = clock.now()
    due_at = case(
        (Arrear.noticed_at.is_(None), Arrear.owed_since + _after("notice", now)),
        (Arrear.reminded_at.is_(None), Arrear.noticed_at + _after("reminder", now)),
        else_=Arrear.reminded_at + _after("hold", now),
    )
    return wanted.join(Lot, Lot.id == Arrear.lot_id).where(
        Arrear.owing, Arrear.held_at.is_(None), Arrear.motorist_id.is_not(None), due_at <= now, ~IS_PAUSED
    )


def _after(step: str, now: datetime) -> ColumnElement[timedelta]:
    number = number_for(STEPS[step].policy, Lot.id, Lot.unit_id, now)
    return type_coerce(number * cast(STEPS[step].unit, Interval), Interval)
