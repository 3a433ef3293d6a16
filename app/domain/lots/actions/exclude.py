"""Excepting a unit from opening (N2.1): its open lots are suspended by the same deed."""

import uuid

from sqlalchemy import select

from app.domain.lots.actions.steps import take_step
from app.domain.lots.models import Lot
from app.domain.staff.rules import Actor
from app.domain.units import actions as units
from app.domain.units.models import UnitFinding
from app.domain.units.rules import GROUNDS
from app.kernel.db import transaction
from app.kernel.files import Paper


def exclude(
    by: Actor, unit_key: uuid.UUID, ground: str, reason: str, evidence: str, paper: Paper | None = None
) -> UnitFinding:  # fmt: skip
    """Find that a unit is excepted on one of the six grounds, and suspend its open lots.

    Refuses what `units.actions.find` refuses; permission is asked there.
    """
    with transaction() as session:
        finding = units.find(by, unit_key, ground, reason, evidence, paper)
        open_lots = select(Lot).where(Lot.unit_id == finding.unit_id, Lot.state == "open").order_by(Lot.id)
        for lot in session.scalars(open_lots.with_for_update(key_share=True)).all():
            take_step(lot, "suspend", by, f"例外认定：{GROUNDS[ground]}")
        return finding
