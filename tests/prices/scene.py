"""A lot whose price is being decided: bounded by a reference, drafted, proved."""

from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.errors import Error
from sqlalchemy import select

from app.domain.pricing import actions as pricing
from app.domain.pricing.models import LotPrice, LotTariff
from app.domain.tasks.models import Task
from app.kernel.db import transaction
from tests.ground import Run
from tests.world import OwnLot, bound, hourly, open_own_lot, price_officers, reference

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
FREE: dict[str, Any] = {
    **hourly(0), "bands": [{"name": "all_day", "from": "00:00", "to": "24:00", "days": "all", "method": "free"}],
}  # fmt: skip


def bounded_lot(fen: int = 600) -> OwnLot:
    """An open lot without a price, bounded by a reference at so much for each hour begun."""
    own = open_own_lot()
    bound(own.lot, reference(hourly(fen)))
    return own


def tariff_of(fen: int) -> pricing.NewTariff:
    parameters = hourly(fen) if fen else FREE
    return pricing.NewTariff(f"示例{fen}分每小时", "示例单位决定", parameters)


def drafted(own: OwnLot, fen: int = 300, **told: Any) -> LotPrice:
    """What the lot's unit wants to charge for each hour begun."""
    return pricing.draft_price(own.by, own.key, tariff_of(fen), **told)


def proved(own: OwnLot, fen: int = 300, **told: Any) -> LotPrice:
    price = drafted(own, fen, **told)
    pricing.prove_price(price_officers()[0], price.key)
    return price


def published(own: OwnLot, fen: int = 300, since: datetime | None = None, **told: Any) -> LotPrice:
    return pricing.publish_price(price_officers()[0], proved(own, fen, **told).key, since)


def charged(own: OwnLot) -> list[LotTariff]:
    """What the lot charges by, in the order of time."""
    with transaction() as session:
        return list(session.scalars(select(LotTariff).filter_by(lot_id=own.lot.id).order_by(LotTariff.id)))


def open_tasks(kind: str) -> list[Task]:
    with transaction() as session:
        return list(session.scalars(select(Task).filter_by(kind=kind, closed_at=None)))


def refusing(run: Run, statement: str, *values: object) -> str | None:
    """The constraint that refuses a statement of the program's role; the name of the error when it has none."""
    with pytest.raises(Error) as refusal:
        run(statement, *values)
    return refusal.value.diag.constraint_name or type(refusal.value).__name__


def only(admin: psycopg.Connection[Any], statement: str) -> Any:
    row = admin.execute(statement.encode()).fetchone()
    assert row is not None
    return row[0]
