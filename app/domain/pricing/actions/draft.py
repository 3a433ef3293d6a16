"""A unit drafts what its lot shall charge; less or nothing is as good as any price (N3.3)."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.domain.lots.models import Lot
from app.domain.lots.queries import place_of
from app.domain.lots.queries.places import lot_id_of
from app.domain.pricing.actions.register import said
from app.domain.pricing.actions.tariffs import store_tariff
from app.domain.pricing.models import LotPrice, LotPriceStep, TariffVersion
from app.domain.pricing.queries.proofs import last_version
from app.domain.pricing.rules.flow import LOT_PRICE
from app.domain.staff.rules import Actor, permit
from app.kernel import audit, clock
from app.kernel.db import current, refusing, transaction
from app.kernel.refusals import Conflict, NotFound


class PriceInTheMaking(Conflict):
    """Another price of this lot is drafted or proved; it is published or withdrawn first."""

    code = "price_in_the_making"
    message = "该停车场已有拟定中的收费标准，请先公布或撤回"


@dataclass(frozen=True)
class NewTariff:
    """A tariff as a unit tells it: its name, the document or decision behind it, its parameters (docs/tariffs.md)."""

    name: str
    document: str
    parameters: dict[str, Any]


def draft_price(
    by: Actor, lot_key: uuid.UUID, tariff: NewTariff | uuid.UUID, *, why: str = "", running: str = "entry",
    wanted_from: datetime | None = None,
) -> LotPrice:  # fmt: skip
    """Draft what a lot shall charge, by a new tariff or a stored one (its key).

    `running` says what becomes of stays that run when it begins to hold: `entry` leaves them at the tariff of their
    entry, `split` prices what lies after by this one. Refuses `NotFound`, `PriceInTheMaking`, `InvalidTariff`,
    `TariffUnnamed`, `TariffNameTaken`, `NotPermitted`.
    """
    with transaction() as session:
        lot = _locked_lot(lot_id_of(lot_key))
        permit(by, "pricing.draft", place_of(lot.id))
        row = LotPrice(
            lot_id=lot.id, version=last_version(lot.id) + 1, tariff_id=_tariff_id(by, tariff), running=running,
            wanted_from=wanted_from, state="draft", made_by=by.account_id, made_at=clock.now(),
        )  # fmt: skip
        with refusing({"a_lot_has_one_price_in_the_making": PriceInTheMaking}):
            session.add(row)
            LOT_PRICE.born(row, by.label, "draft")
        remember(row, "draft", by, why.strip())
        return row


def withdraw_price(by: Actor, price_key: uuid.UUID, why: str) -> LotPrice:
    """Take a price back that was not published, with a reason. Refuses `NotFound`, `WrongState`, `WhyMissing`."""
    with transaction():
        price = locked_price(price_key)
        permit(by, "pricing.withdraw", place_of(price.lot_id))
        LOT_PRICE.move(price, "withdraw", by.label)
        remember(price, "withdraw", by, said(why))
        return price


def locked_price(price_key: uuid.UUID) -> LotPrice:
    """A price with its lot before it, ours until the transaction ends. Refuses `NotFound`."""
    lot_id = current().scalar(select(LotPrice.lot_id).filter_by(key=price_key))
    if lot_id is None:
        raise NotFound
    _locked_lot(lot_id)
    return current().scalars(select(LotPrice).filter_by(key=price_key).with_for_update()).one()


def remember(price: LotPrice, event: str, by: Actor, why: str) -> None:
    """Write down who took a step, when and why."""
    session = current()
    session.add(LotPriceStep(price_id=price.id, event=event, by_account=by.account_id, why=why, at=clock.now()))
    session.flush()
    audit.record(f"pricing.{event}_price", "lot_price", price.id, by.label, {"lot_id": price.lot_id})


def _tariff_id(by: Actor, tariff: NewTariff | uuid.UUID) -> int:
    if isinstance(tariff, NewTariff):
        return store_tariff(tariff.name, tariff.document, tariff.parameters, by.label).id
    known = current().scalar(select(TariffVersion.id).filter_by(key=tariff))
    if known is None:
        raise NotFound
    return known


def _locked_lot(lot_id: int) -> Lot:
    return current().scalars(select(Lot).where(Lot.id == lot_id).with_for_update(key_share=True)).one()
