"""A lot's bays and chargers: more may be shared at once, fewer only by a plan that somebody approved (N2.2.2)."""

import uuid
from collections.abc import Collection, Sequence

from sqlalchemy import select

from app.domain.lots.actions.decide_plan import BayHasClaims
from app.domain.lots.actions.draft import REFUSED_BY
from app.domain.lots.actions.steps import lock_lot
from app.domain.lots.models import Bay, Entrance, Lot
from app.domain.lots.queries.places import place_of
from app.domain.lots.rules.telling import LotIncomplete, NewBay, NewEntrance
from app.domain.staff.rules import Actor, permit
from app.kernel import audit
from app.kernel.db import current, refusing, transaction
from app.kernel.refusals import Conflict, NotFound


class PlanSharesMore(Conflict):
    """The plan in force promises more bays; fewer are shared by a new plan only."""

    code = "plan_shares_more"
    message = "共享泊位数不得少于现行开放方案，如需减少请提交新的方案"


class NoSuchBay(NotFound):
    """The lot has no bay of that number."""

    code = "no_such_bay"
    message = "该停车场没有此编号的泊位"


REFUSALS = {
    **REFUSED_BY,
    "an_open_lot_shares_what_its_plan_states": PlanSharesMore,
    "a_bay_with_live_claims_stays_shared": BayHasClaims,
}


def add_bays(by: Actor, lot_key: uuid.UUID, bays: Sequence[NewBay]) -> int:
    """Share more bays. Refuses `NotFound`, `BayWrong`, `BayKnown`, `MoreBaysThanThereAre`."""
    with transaction():
        lot = lock_lot(lot_key)
        permit(by, "lots.change", place_of(lot.id))
        with refusing(REFUSALS) as session:
            session.add_all(Bay(lot_id=lot.id, shared=True, **vars(bay.checked())) for bay in bays)
        audit.record("lots.add_bays", "lot", lot.id, by.label, {"bays": len(bays)})
        return len(bays)


def share_bays(by: Actor, lot_key: uuid.UUID, numbers: Collection[str], *, shared: bool) -> int:
    """Share bays that are not, or keep such as are; returns how many changed.

    Refuses `NotFound`, `NoSuchBay`, `MoreBaysThanThereAre`, `PlanSharesMore`, `BayHasClaims`.
    """
    with transaction():
        lot = lock_lot(lot_key)
        permit(by, "lots.change", place_of(lot.id))
        bays = _named(lot, numbers)
        changed = [bay for bay in bays if bay.shared is not shared]
        with refusing(REFUSALS):
            for bay in changed:
                bay.shared = shared
        audit.record("lots.share_bays", "lot", lot.id, by.label, {"bays": len(changed), "shared": shared})
        return len(changed)


def change_bay(by: Actor, lot_key: uuid.UUID, number: str, told: NewBay) -> None:
    """Tell a bay's number, zone and kind anew. Refuses `NotFound`, `NoSuchBay`, `BayWrong`, `BayKnown`."""
    with transaction():
        lot = lock_lot(lot_key)
        permit(by, "lots.change", place_of(lot.id))
        (bay,) = _named(lot, [number])
        with refusing(REFUSALS):
            for name, value in vars(told.checked()).items():
                setattr(bay, name, value)
        audit.record("lots.change_bay", "lot", lot.id, by.label, {"bay_id": bay.id})


def _named(lot: Lot, numbers: Collection[str]) -> Sequence[Bay]:
    wanted = set(numbers)
    found = current().scalars(
        select(Bay).where(Bay.lot_id == lot.id, Bay.number.in_(wanted)).order_by(Bay.id).with_for_update()
    ).all()  # fmt: skip
    if missing := wanted - {bay.number for bay in found}:
        raise NoSuchBay(numbers=sorted(missing))
    return found


def change_chargers(by: Actor, lot_key: uuid.UUID, total: int, shared: int) -> None:
    """Tell how many chargers there are and how many the public may use (N2.2.2). Refuses `LotIncomplete`."""
    with transaction() as session:
        lot = lock_lot(lot_key)
        permit(by, "lots.change", place_of(lot.id))
        if not 0 <= shared <= total:
            raise LotIncomplete
        lot.total_chargers, lot.shared_chargers = total, shared
        session.flush()
        audit.record("lots.change_chargers", "lot", lot.id, by.label, {"total": total, "shared": shared})


def change_entrances(by: Actor, lot_key: uuid.UUID, entrances: Sequence[NewEntrance]) -> None:
    """Tell a lot's entrances and exits anew, all of them. Refuses `BayWrong`, `PointOutside`, `BayKnown`."""
    with transaction() as session:
        lot = lock_lot(lot_key)
        permit(by, "lots.change", place_of(lot.id))
        for row in session.scalars(select(Entrance).where(Entrance.lot_id == lot.id)).all():
            session.delete(row)
        session.flush()
        with refusing(REFUSALS):
            session.add_all(Entrance(lot_id=lot.id, **vars(each.checked())) for each in entrances)
        audit.record("lots.change_entrances", "lot", lot.id, by.label, {"entrances": len(entrances)})
