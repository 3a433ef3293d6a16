"""What the tests of this room share: papers, terms, and deeds that are done at once."""

import threading
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.domain.lots.models import Lot
from app.domain.units.models import Unit
from app.domain.units.rules import Terms
from app.kernel.db import transaction, violated
from app.kernel.refusals import Refusal

DAY = timedelta(days=1)


def unit_of(lot: Lot) -> Unit:
    """The unit whose lot it is."""
    with transaction() as session:
        return session.scalars(select(Unit).where(Unit.id == lot.unit_id)).one()


def terms(lots: Collection[Lot], begins_at: datetime, days: float = 365, **told: Any) -> Terms:
    """What an agreement says that lacks nothing."""
    usual: dict[str, Any] = {
        "lot_ids": [lot.id for lot in lots], "shared_bays": 2, "hours_text": "工作日 18:30 至次日 8:00，休息日全天",
        "services": "引导、收费、投诉", "unit_duties": "提供场地与安防设施", "operator_duties": "日常运营与应急",
        "begins_at": begins_at, "ends_at": begins_at + days * DAY,
    }  # fmt: skip
    return Terms(**usual | told)


def at_once(app: Flask, *deeds: Callable[[], object]) -> list[str]:
    """All deeds at once, each in a thread and a session of its own; how each ended, sorted."""
    barrier = threading.Barrier(len(deeds))

    def run(deed: Callable[[], object]) -> str:
        with app.app_context():
            barrier.wait(20)
            try:
                deed()
            except Refusal as refusal:
                return refusal.code
            except IntegrityError as error:
                return violated(error) or "?"
        return "done"

    with ThreadPoolExecutor(len(deeds)) as pool:
        return sorted(pool.map(run, deeds))
