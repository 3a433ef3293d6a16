"""Tariffs, reference lots, and what a lot charges."""

import secrets
from datetime import date, datetime
from typing import Any

from app.domain.lots.models import Lot
from app.domain.pricing import actions as pricing
from app.domain.pricing.models import (
    CapProof,
    LotPrice,
    LotTariff,
    ReferenceLot,
    ReferenceSet,
    ReferenceVersion,
    TariffVersion,
)
from app.domain.pricing.rules.flow import LOT_PRICE
from app.domain.staff.models import StaffAccount
from app.domain.staff.queries import actor_of
from app.domain.staff.rules import Actor
from app.kernel import clock
from app.kernel.db import current, transaction
from app.kernel.spans import span
from app.kernel.terms import end_running
from tests import moulds
from tests.world.city import ACTOR, shanghai
from tests.world.people import founder, staff
from tests.world.units import paper

HOURLY: dict[str, Any] = {
    "free": None,
    "bands": [
        {
            "name": "all_day", "from": "00:00", "to": "24:00", "days": "all", "method": "stepped",
            "steps": [{"minutes": None, "unit_min": 60, "fen": 300}], "rounding": "up",
        }
    ],
    "boundary_policy": "single_band",
    "period": {"kind": "none", "cap_fen": None},
    "vehicle_classes": {"small": {}},
    "default_class": "small",
}  # fmt: skip
"""3 yuan for each hour begun, without free time."""


def tariff(parameters: dict[str, Any] | None = None) -> int:
    """A stored tariff under a name of its own."""
    name = f"示例收费标准{secrets.token_hex(4)}"
    return pricing.store_tariff(name, "示例", parameters or HOURLY, ACTOR).id


def hourly(fen: int) -> dict[str, Any]:
    """So much for each hour begun, without free time."""
    band = {**HOURLY["bands"][0], "steps": [{"minutes": None, "unit_min": 60, "fen": fen}]}
    return {**HOURLY, "bands": [band]}


def price_officers() -> tuple[Actor, Actor]:
    """Two people of the city who decide on prices: what one proposes the other approves."""
    there: tuple[Actor, Actor] | None = moulds.there("price-officers")
    if there is not None:
        return there
    with transaction() as session:
        named = session.query(StaffAccount.id).filter(StaffAccount.login.in_(PRICE_OFFICERS))
        known = [account_id for (account_id,) in named.order_by(StaffAccount.login)]
    founder()
    if known:
        return actor_of(known[0]), actor_of(known[1])
    return moulds.ready("price-officers", _appoint_officers, ["districts", "founder"])


PRICE_OFFICERS = ("price-officer-1", "price-officer-2")


def _appoint_officers() -> tuple[Actor, Actor]:
    one, other = (staff("price_officer", login=each) for each in PRICE_OFFICERS)
    return one, other


def reference(
    parameters: dict[str, Any] | None = None, point: tuple[float, float] = (30.25, 120.15), name: str | None = None,
    since: datetime | None = None, until: datetime | None = None,
) -> ReferenceVersion:  # fmt: skip
    """A government-priced lot in the register: proposed by one officer, approved by another."""
    one, other = price_officers()
    valid = span(since or shanghai("2026-01-01 00:00"), until)
    called = name or f"示例参照停车场{secrets.token_hex(4)}"
    told = pricing.NewReference(called, "示例批复〔2026〕1号", tariff(parameters), valid, point)
    return pricing.approve_reference(other, pricing.propose_reference(one, told, paper()).key)


DEAR = hourly(100_000)
"""A reference that bounds nothing that tests charge."""


def bound(lot: Lot, *versions: ReferenceVersion) -> ReferenceSet:
    """Let references bound a lot's fees from now on; without any, a dear one, which is the same for all lots."""
    one, other = price_officers()
    chosen = [each.reference_id for each in versions] or [dear()]
    with transaction() as session:
        keys = session.query(ReferenceLot.key).filter(ReferenceLot.id.in_(chosen)).all()
    made = pricing.propose_references(one, lot.key, [key for (key,) in keys], "示例")
    return pricing.approve_references(other, made.key)


def dear() -> int:
    """The row of the dear reference."""
    name = "示例高价参照停车场"
    known: int | None = moulds.there("dear")
    if known is None:
        with transaction() as session:
            known = session.query(ReferenceLot.id).filter_by(name=name).scalar()
    return known or moulds.ready("dear", lambda: reference(DEAR, name=name).reference_id, ["price-officers"])


def charge_by(lot: Lot, tariff_id: int, since: datetime, running: str = "entry") -> LotTariff:
    """Let a lot charge by a tariff from any moment on, as its unit and two officers leave it who did so by then.

    That it stays under the cap is taken for granted.
    """
    with transaction() as session:
        rests_on = session.query(ReferenceSet).filter_by(lot_id=lot.id, state="approved").one_or_none() or bound(lot)
        proof = _believed(lot, tariff_id, rests_on.id)
        version = session.query(LotPrice).filter_by(lot_id=lot.id).count() + 1
        price = LotPrice(
            lot_id=lot.id, tariff_id=tariff_id, version=version, running=running, state="draft",
            made_by=price_officers()[0].account_id, made_at=since,
        )  # fmt: skip
        session.add(price)
        LOT_PRICE.born(price, ACTOR, "draft")
        LOT_PRICE.move(price, "prove", ACTOR, proof_id=proof.id)
        published = {"published_by": price_officers()[1].account_id, "published_at": since, "effective_from": since}
        told = {"notice": "示例公告", "notice_days": 7, "needs_no_notice": "first"}
        LOT_PRICE.move(price, "publish", ACTOR, **published, **told)
        end_running(LotTariff, [LotTariff.lot_id == lot.id], since)
        row = LotTariff(
            lot_id=lot.id, tariff_id=tariff_id, valid=span(since, None), running=running, price_id=price.id
        )  # fmt: skip
        session.add(row)
        session.flush()
        return row


def _believed(lot: Lot, tariff_id: int, set_id: int) -> CapProof:
    is_free = current().get_one(TariffVersion, tariff_id).is_free
    told = {"holds": True, "result": {"holds": True}, "explanation": "示例", "inputs": {}}
    proof = CapProof(
        lot_id=lot.id, tariff_id=tariff_id, is_free=is_free, set_id=set_id, digest=secrets.token_bytes(32),
        content_digest=secrets.token_bytes(32), first_day=date(2026, 1, 1), last_day=date(2027, 12, 31),
        proved_at=clock.now(), **told,
    )  # fmt: skip
    current().add(proof)
    current().flush()
    return proof
