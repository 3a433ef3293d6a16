"""Drafting a lot: what a unit tells of it before anybody approves it."""

import uuid
from collections.abc import Sequence

from app.domain.lots.actions.steps import lock_lot, remember_step
from app.domain.lots.models import Bay, Entrance, Lot
from app.domain.lots.queries.places import place_of
from app.domain.lots.rules import LOT
from app.domain.lots.rules.telling import NewBay, NewEntrance, NewLot
from app.domain.staff.rules import Actor, permit
from app.domain.units.actions import lock
from app.domain.units.models import Unit
from app.kernel import audit
from app.kernel.db import current, refusing, transaction
from app.kernel.refusals import Conflict
from app.kernel.states import WrongState


class LotKnown(Conflict):
    """The unit has a lot of this name."""

    code = "lot_known"
    message = "该单位已有同名停车场"


class BayKnown(Conflict):
    """The lot has a bay of this number, or an entrance of this name."""

    code = "bay_known"
    message = "泊位编号或出入口名称重复"


class MoreBaysThanThereAre(Conflict):
    """More bays would be shared than the lot has in all (N2.2.2)."""

    code = "more_bays_than_there_are"
    message = "共享泊位数不能超过总泊位数"


REFUSED_BY = {
    "a_unit_names_each_lot_once": LotKnown,
    "a_lot_numbers_each_bay_once": BayKnown,
    "a_lot_names_each_entrance_once": BayKnown,
    "a_lot_shares_no_more_bays_than_it_has": MoreBaysThanThereAre,
}


def draft(
    by: Actor, unit_key: uuid.UUID, told: NewLot, bays: Sequence[NewBay], entrances: Sequence[NewEntrance] = ()
) -> Lot:
    """Register a lot of a unit with its shared bays (N2.2.2); nobody sees it before it is approved and published.

    Refuses `NotFound`, what `NewLot.checked` and `NewBay.checked` refuse, `LotKnown`, `BayKnown` and
    `MoreBaysThanThereAre`.
    """
    with transaction():
        unit = lock(unit_key)
        permit(by, "lots.draft", unit.place)
        lot = enter(unit, told, bays, entrances, by.label)
        remember_step(lot, "draft", by, "")
        return lot


def enter(
    unit: Unit, told: NewLot, bays: Sequence[NewBay], entrances: Sequence[NewEntrance], actor: str
) -> Lot:  # fmt: skip
    """The same for those who asked for permission already: bulk import."""
    with transaction():
        lot = Lot(unit_id=unit.id, state="draft", **vars(told.checked()))
        with refusing(REFUSED_BY) as session:
            session.add(lot)
            LOT.born(lot, actor, "draft")
            session.add_all(Bay(lot_id=lot.id, shared=True, **vars(bay.checked())) for bay in bays)
            session.add_all(Entrance(lot_id=lot.id, **vars(entrance.checked())) for entrance in entrances)
        audit.record("lots.enter", "lot", lot.id, actor, {"bays": len(bays)})
        return lot


def change(by: Actor, lot_key: uuid.UUID, told: NewLot) -> Lot:
    """Tell anew what a draft is; what was submitted is decided on as it stands.

    Refuses `NotFound`, `WrongState` when the lot is no draft, and what `draft` refuses.
    """
    with transaction():
        lot = lock_lot(lot_key)
        permit(by, "lots.change", place_of(lot.id))
        if lot.state != "draft":
            raise WrongState(machine=LOT.name, state=lot.state, event="change")
        with refusing(REFUSED_BY):
            for name, value in vars(told.checked()).items():
                setattr(lot, name, value)
        current().flush()
        audit.record("lots.change", "lot", lot.id, by.label)
        return lot
