"""What every step of a lot's life leaves behind: the move, who took it and why, and an audit entry."""

import uuid

from sqlalchemy import select

from app.domain.lots.models import Lot, LotStep
from app.domain.lots.rules import LOT
from app.domain.staff.rules import Actor
from app.domain.units.models import Unit
from app.kernel import audit, clock
from app.kernel.db import current
from app.kernel.refusals import Invalid, NotFound


class ReasonMissing(Invalid):
    """Such a step is explained in words, which stay with it."""

    code = "reason_missing"
    message = "请说明理由"


def lock_lot(lot_key: uuid.UUID) -> Lot:
    """A lot with its unit before it, ours until the transaction ends. Refuses `NotFound`.

    Whoever takes a step, decides on a plan or checks facilities waits here, and sees what the other did.
    """
    session = current()
    session.execute(
        select(Unit.id).join(Lot, Lot.unit_id == Unit.id).where(Lot.key == lot_key)
        .with_for_update(key_share=True, of=Unit)
    )  # fmt: skip
    lot = session.scalar(select(Lot).where(Lot.key == lot_key).with_for_update(key_share=True))
    if lot is None:
        raise NotFound
    return lot


def lock_lot_by_id(lot_id: int) -> Lot:
    """The same by its row."""
    key = current().scalar(select(Lot.key).where(Lot.id == lot_id))
    if key is None:
        raise NotFound
    return lock_lot(key)


def take_step(lot: Lot, event: str, by: Actor, why: str, **along: object) -> None:
    """Move a lot along its graph, setting the columns `along` with it. Refuses `WrongState`."""
    LOT.move(lot, event, by.label, **along)
    remember_step(lot, event, by, why)


def remember_step(lot: Lot, event: str, by: Actor, why: str) -> None:
    """Write down who took a step, when and why."""
    session = current()
    session.add(LotStep(lot_id=lot.id, event=event, by_account=by.account_id, why=why, at=clock.now()))
    session.flush()
    audit.record(f"lots.{event}", "lot", lot.id, by.label)


def said(why: str) -> str:
    """A reason without blanks around it. Refuses `ReasonMissing` when none is left."""
    plain = why.strip()
    if not plain:
        raise ReasonMissing
    return plain
