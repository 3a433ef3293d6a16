"""What units report to have used the money for (资金使用, N3.3)."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select

from app.domain.finance.models import MoneyUse
from app.domain.staff.queries import logins
from app.domain.staff.rules import Actor, reach
from app.domain.units.models import Unit
from app.kernel.db import current, transaction
from app.kernel.money import Fen
from app.kernel.refusals import NotFound


@dataclass(frozen=True)
class SeenUse:
    """What a unit reported for a month and a purpose, the newest word."""

    month: date
    unit: str
    purpose: str
    amount_fen: Fen
    basis: str
    reported_by: str
    reported_at: datetime


def uses(by: Actor, month: date) -> list[SeenUse]:
    """What units within this person's reach reported for a month. Refuses `NotPermitted`."""
    with transaction() as session:
        scopes = reach(by, "finance.see_uses")
        newest = (
            select(func.max(MoneyUse.id)).where(MoneyUse.month == month).group_by(MoneyUse.unit_id, MoneyUse.purpose)
        )
        rows = session.execute(
            select(MoneyUse, Unit).join(Unit, Unit.id == MoneyUse.unit_id).where(MoneyUse.id.in_(newest))
            .order_by(Unit.name, MoneyUse.purpose)
        ).all()  # fmt: skip
        seen = [(use, unit) for use, unit in rows if any(scope.covers(unit.place) for scope in scopes)]
        names = logins([use.reported_by for use, _ in seen])
        return [
            SeenUse(
                use.month, unit.name, use.purpose, use.amount_fen, use.basis, names[use.reported_by], use.reported_at
            )
            for use, unit in seen
        ]


def unit_by(key: uuid.UUID) -> Unit:
    """The unit by its public key; what may be done with it is asked elsewhere. Refuses `NotFound`."""
    unit = current().scalar(select(Unit).filter_by(key=key))
    if unit is None:
        raise NotFound
    return unit


def last_version(unit_id: int, month: date, purpose: str) -> int:
    """How often a unit has reported for a month and purpose."""
    told = select(func.coalesce(func.max(MoneyUse.version), 0))
    return int(current().scalar(told.filter_by(unit_id=unit_id, month=month, purpose=purpose)) or 0)
