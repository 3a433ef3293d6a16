"""Lots' prices on their way from draft to publication, as staff look at them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select

from app.domain.lots.models import Lot
from app.domain.lots.queries import place_of
from app.domain.lots.queries.places import seen_lot, within
from app.domain.pricing.models import CapProof, LotPrice, LotPriceStep, LotTariff, ReferenceSet, TariffVersion
from app.domain.staff.rules import Actor, permit, reach
from app.domain.units.models import Unit
from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.refusals import NotFound


@dataclass(frozen=True)
class Step:
    """One step in a price's life (`by_account` is an account's id)."""

    event: str
    by_account: int
    why: str
    at: datetime


@dataclass(frozen=True)
class PriceView:
    """A version of a lot's price; `made_by` and `published_by` are accounts' ids."""

    key: uuid.UUID
    lot: str
    version: int
    tariff: str
    document: str
    is_free: bool
    running: str
    state: str
    wanted_from: datetime | None
    effective_from: datetime | None
    notice: str | None
    made_by: int
    published_by: int | None
    proof_holds: bool | None
    unbounded_because: str | None
    explanation: str | None


@dataclass(frozen=True)
class PriceSheet:
    """A price with its tariff's parameters, the proof as it was stored and every step."""

    price: PriceView
    parameters: dict[str, Any]
    proof: dict[str, Any] | None
    proof_key: uuid.UUID | None
    steps: Sequence[Step]


def lot_prices(by: Actor, lot_key: uuid.UUID) -> list[PriceView]:
    """The prices of a lot, the newest first. Refuses `NotFound`, `NotPermitted`."""
    with transaction() as session:
        reach(by, "pricing.see")
        lot = seen_lot(by, lot_key)
        rows = session.execute(_prices().where(LotPrice.lot_id == lot.id).order_by(LotPrice.version.desc()))
        return [_view(*row) for row in rows]


def price_sheet(by: Actor, price_key: uuid.UUID) -> PriceSheet:
    """One price with everything that was decided about it. Refuses `NotFound`, `NotPermitted`."""
    with transaction() as session:
        row = session.execute(_prices().where(LotPrice.key == price_key)).one_or_none()
        if row is None:
            reach(by, "pricing.see")
            raise NotFound
        price, _, tariff, _ = row
        permit(by, "pricing.see", place_of(price.lot_id))
        steps = session.scalars(select(LotPriceStep).filter_by(price_id=price.id).order_by(LotPriceStep.id))
        told = [Step(step.event, step.by_account, step.why, step.at) for step in steps]
        found = session.get(CapProof, price.proof_id) if price.proof_id is not None else None
        if found is None:
            return PriceSheet(_view(*row), tariff.parameters, None, None, told)
        return PriceSheet(_view(*row), tariff.parameters, found.result, found.key, told)


def _prices() -> Select[LotPrice, str, TariffVersion, CapProof]:
    return (
        select(LotPrice, Lot.name, TariffVersion, CapProof)
        .join(Lot, Lot.id == LotPrice.lot_id)
        .join(TariffVersion, TariffVersion.id == LotPrice.tariff_id)
        .outerjoin(CapProof, CapProof.id == LotPrice.proof_id)
    )


def _view(price: LotPrice, lot: str, tariff: TariffVersion, proof: CapProof | None) -> PriceView:
    return PriceView(
        key=price.key, lot=lot, version=price.version, tariff=tariff.name, document=tariff.document,
        is_free=tariff.is_free, running=price.running, state=price.state, wanted_from=price.wanted_from,
        effective_from=price.effective_from, notice=price.notice, made_by=price.made_by,
        published_by=price.published_by, proof_holds=proof.holds if proof else None,
        unbounded_because=price.unbounded_because, explanation=proof.explanation if proof else None,
    )  # fmt: skip


@dataclass(frozen=True)
class Standing:
    """How a lot stands: what it charges, what bounds it, and whether its newest proof holds."""

    lot_key: uuid.UUID
    lot: str
    unit: str
    tariff: str | None
    since: datetime | None
    set_version: int | None
    proof_holds: bool | None
    proved_at: datetime | None


def standings(by: Actor, *, failing: bool = False) -> list[Standing]:
    """Every lot within this person's reach; only those whose newest proof fails when asked. Refuses `NotPermitted`."""
    newest = (
        select(CapProof.holds, CapProof.proved_at)
        .where(CapProof.lot_id == Lot.id, CapProof.tariff_id == LotTariff.tariff_id)
        .order_by(CapProof.id.desc())
        .limit(1)
        .lateral("newest")
    )
    with transaction() as session:
        asked = (
            select(
                Lot.key, Lot.name, Unit.name, TariffVersion.name, func.lower(LotTariff.valid), ReferenceSet.version,
                newest.c.holds, newest.c.proved_at,
            )
            .join(Unit, Unit.id == Lot.unit_id)
            .outerjoin(LotTariff, (LotTariff.lot_id == Lot.id) & LotTariff.valid.contains(clock.now()))
            .outerjoin(TariffVersion, TariffVersion.id == LotTariff.tariff_id)
            .outerjoin(ReferenceSet, (ReferenceSet.lot_id == Lot.id) & (ReferenceSet.state == "approved"))
            .outerjoin(newest, newest.c.holds.is_not(None))
            .where(within(reach(by, "pricing.see")))
            .order_by(Lot.id)
        )  # fmt: skip
        if failing:
            asked = asked.where(newest.c.holds.is_(False))
        return [Standing(*row) for row in session.execute(asked)]
