"""Lots on every step from a draft to an open one that charges."""

import secrets
import uuid
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.domain.lots import actions as lots
from app.domain.lots.models import Lot
from app.domain.staff.models import StaffAccount
from app.domain.staff.queries import actor_of
from app.domain.staff.rules import Actor
from app.domain.units import actions as units
from app.domain.units.models import Unit
from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.files import Paper
from payments.payees.models import Payee
from tests import moulds
from tests.world.city import ACTOR, ANYWHERE, CHECKER, the_city
from tests.world.payees import payee
from tests.world.people import founder, staff
from tests.world.prices import charge_by, dear, price_officers, tariff
from tests.world.units import new_unit

PHOTO = Paper(b"\x89PNG\r\n\x1a\n", "示例照片.png")
SOUND = lots.Found(security=True, lighting=True, fire=True)
CONTACTS = (
    lots.NewContact("responsible", "示例责任人", "0571-00000001", "工作日 8:30-17:30"),
    lots.NewContact("deputy", "示例副责任人", "0571-00000002", "夜间及节假日"),
)


def lots_regulator() -> Actor:
    """Who approves lots and plans in these tests: one person of the city, never of a unit."""
    there: Actor | None = moulds.there("lots-regulator")
    if there is not None:
        return there
    with transaction() as session:
        known = session.query(StaffAccount.id).filter_by(login="lots-regulator").scalar()
    founder()
    return actor_of(known) if known else moulds.ready("lots-regulator", _appoint_regulator, ["districts", "founder"])


def _appoint_regulator() -> Actor:
    return staff("regulator", login="lots-regulator")


@dataclass(frozen=True)
class OwnLot:
    """A lot with somebody of its unit."""

    lot: Lot
    by: Actor

    @property
    def key(self) -> uuid.UUID:
        return self.lot.key


def draft_lot(bays: int = 2, kind: str = "enterprise", of_unit: Unit | None = None, **told: Any) -> OwnLot:
    """A lot of a new unit as somebody of the unit drafts it; a third of its bays is shared."""
    the_city()
    unit = of_unit or units.enter(new_unit(kind), ACTOR)
    by = staff("unit", unit_id=unit.id)
    usual: dict[str, Any] = {
        "name": f"示例停车场{secrets.token_hex(4)}", "address": "示例路1号", "total_bays": 3 * bays,
        "latitude": 30.25 + ANYWHERE.random() / 100, "longitude": 120.15 + ANYWHERE.random() / 100,
    }  # fmt: skip
    named = [lots.NewBay(f"A{number:03d}", "A") for number in range(1, bays + 1)]
    return OwnLot(lots.draft(by, unit.key, lots.NewLot(**usual | told), named), by)


def new_plan(bays: int = 2, **told: Any) -> lots.NewPlan:
    """What a unit tells in a plan that keeps to the notice."""
    usual: dict[str, Any] = {
        "shared_bays": bays, "safety_rules": "示例安全管理制度", "emergency_plan": "示例应急预案",
    }  # fmt: skip
    return lots.NewPlan(**usual | told)


def planned_lot(bays: int = 2, kind: str = "enterprise", plan: dict[str, Any] | None = None, **told: Any) -> OwnLot:
    """A draft with an approved plan and sound facilities."""
    own = draft_lot(bays, kind, **told)
    made = lots.draft_plan(own.by, own.key, new_plan(bays, **plan or {}), CONTACTS)
    lots.submit_plan(own.by, made.key)
    lots.approve_plan(lots_regulator(), made.key, "同意")
    lots.check_facilities(own.by, own.key, SOUND, PHOTO)
    return own


def approved_lot(bays: int = 2, kind: str = "enterprise", plan: dict[str, Any] | None = None, **told: Any) -> OwnLot:
    """A lot that its unit may publish."""
    own = planned_lot(bays, kind, plan, **told)
    lots.submit(own.by, own.key)
    lots.approve(lots_regulator(), own.key)
    return own


def open_own_lot(bays: int = 2, kind: str = "enterprise", plan: dict[str, Any] | None = None, **told: Any) -> OwnLot:
    """A lot that the public uses, without tariff and payee."""
    the_city()
    lots_regulator()

    def opened() -> tuple[int, Actor]:
        with transaction():
            own = approved_lot(bays, kind, plan, **told)
            lots.publish(own.by, own.key)
            return own.lot.id, own.by

    lot_id, by = moulds.ready(_wish(bays, kind, plan, **told), opened, ["calendar", "lots-regulator"])
    with transaction() as session:
        return OwnLot(session.get_one(Lot, lot_id), by)


def _wish(bays: int, kind: str, plan: dict[str, Any] | None = None, **told: Any) -> Hashable:
    return "open lot", bays, kind, repr(plan), repr(sorted(told.items()))


def open_lot(bays: int = 2, kind: str = "enterprise", parameters: dict[str, Any] | None = None) -> Lot:
    """A lot of a new unit, open by the rule of N2.2.1, with a tariff and a payee."""
    lot = open_own_lot(bays, kind).lot
    price_officers()
    dear()

    def charging() -> None:
        since = clock.now() - timedelta(days=1)
        charge_by(lot, tariff(parameters), since)
        pay_to(lot, payee("enterprise" if kind == "enterprise" else "fiscal"), since)

    wish = _wish(bays, kind)
    if (moulds.there(wish) or (None,))[0] == lot.id:
        moulds.ready(("charging lot", lot.key, repr(parameters)), charging, [wish, "price-officers", "dear"])
    else:
        charging()
    return lot


def pay_to(lot: Lot, receives: Payee, since: datetime) -> None:
    """Let a lot's money belong to a payee, as a finance checker does."""
    with transaction():
        lots.enter_payee(lot, receives.id, since, ACTOR, CHECKER)
