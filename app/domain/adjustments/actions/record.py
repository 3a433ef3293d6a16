"""Writing an adjustment down, once for each request, with the lots that it touches."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.dialects.postgresql import insert as upsert

from app.domain.adjustments.models import Adjustment, AdjustmentLot
from app.domain.adjustments.rules import LotsMissing, RequestKeyReused, Where, Why
from app.domain.lots.actions import announce
from app.domain.lots.models import Lot
from app.domain.lots.queries import LotNotFound, place_of
from app.domain.staff.rules import CITY, Actor, Place
from app.domain.units.models import Unit
from app.kernel import audit, clock
from app.kernel.db import current
from app.kernel.ids import new_key
from app.kernel.queue import enqueue

TAKES_THE_PUBLIC = ("open", "suspended")


@dataclass(frozen=True)
class Recorded:
    """An adjustment that is written down, its lots, and whether this very request did so."""

    adjustment: Adjustment
    lot_ids: Sequence[int]
    is_new: bool


def places(where: Where, lot_ids: Sequence[int]) -> list[Place]:
    """Where somebody must have a say to adjust there."""
    if where.scope == "city":
        return [CITY]
    if where.scope == "district":
        return [Place(where.district_code)]
    return [place_of(each) for each in lot_ids]


def oversees_all(by: Actor, there: Sequence[Place]) -> bool:
    """Whether somebody adjusts, or ends an adjustment, as a regulator of all these places."""
    return all(by.oversees(place) for place in there)


def lots_of(where: Where) -> Sequence[int]:
    """Ids of the lots that are meant and take the public. Refuses `LotsMissing`, `LotNotFound`."""
    wanted = select(Lot.id).where(Lot.state.in_(TAKES_THE_PUBLIC)).order_by(Lot.id)
    if where.scope == "lots":
        wanted = wanted.where(Lot.key.in_(where.lot_keys))
    if where.scope == "district":
        wanted = wanted.join(Unit, Unit.id == Lot.unit_id).where(Unit.district_code == where.district_code)
    found = current().scalars(wanted).all()
    if where.scope == "lots" and len(found) < len(set(where.lot_keys)):
        raise LotNotFound
    if not found:
        raise LotsMissing
    return found


@dataclass(frozen=True)
class Change:
    """What is to be written down: the kind of adjustment, where, for which span, and why."""

    kind: str
    where: Where
    during: Range[datetime]
    why: Why
    review_at: datetime | None = None
    basis_id: int | None = None


def record(by: Actor, change: Change, lot_ids: Sequence[int], request_key: uuid.UUID | None) -> Recorded:
    """The adjustment of this request; a second one with the same key is the first. Refuses `RequestKeyReused`."""
    where, why = change.where, change.why
    told: dict[str, object] = {
        "kind": change.kind, "scope": where.scope, "district_code": where.district_code,
        "reason_class": why.reason_class, "reason": why.reason.strip(), "announcement": why.announcement.strip(),
        "by_account": by.account_id,
    }  # fmt: skip
    request = request_key or new_key()
    made = current().scalar(
        upsert(Adjustment)
        .values(
            **told, key=new_key(), during=change.during, review_at=change.review_at, basis_id=change.basis_id,
            ordered=oversees_all(by, places(where, lot_ids)), made_at=clock.now(), request_key=request,
        )
        .on_conflict_do_nothing(constraint="an_adjustment_is_made_once")
        .returning(Adjustment.id)
    )  # fmt: skip
    adjustment = current().scalars(select(Adjustment).where(Adjustment.request_key == request)).one()
    if made is None:
        return _same(adjustment, told, lot_ids)
    _write_lots(adjustment, lot_ids)
    audit.record(f"adjustments.{change.kind}", "adjustment", adjustment.id, by.label, {"lots": len(lot_ids)})
    return Recorded(adjustment, lot_ids, is_new=True)


def _same(adjustment: Adjustment, told: dict[str, object], lot_ids: Sequence[int]) -> Recorded:
    touched = current().scalars(
        select(AdjustmentLot.lot_id).where(AdjustmentLot.adjustment_id == adjustment.id).order_by(AdjustmentLot.lot_id)
    ).all()  # fmt: skip
    if any(getattr(adjustment, name) != value for name, value in told.items()) or touched != list(lot_ids):
        raise RequestKeyReused
    return Recorded(adjustment, touched, is_new=False)


def _write_lots(adjustment: Adjustment, lot_ids: Sequence[int]) -> None:
    """A lot whose promises nobody need care for, since it only takes no money, is done at once."""
    done_at = clock.now() if adjustment.kind == "free" else None
    rows = [{"adjustment_id": adjustment.id, "lot_id": each, "applied_at": done_at} for each in lot_ids]
    if rows:
        current().execute(insert(AdjustmentLot), rows)
    if rows and adjustment.kind != "calendar":
        announce(lot_ids, adjustment.kind, adjustment.announcement, adjustment.during, adjustment.id)


def ask_to_apply(adjustment_id: int, lot_ids: Sequence[int]) -> None:
    """One job a lot, each safe to repeat."""
    for lot_id in lot_ids:
        enqueue("adjustments.apply", adjustment_id=adjustment_id, lot_id=lot_id)
