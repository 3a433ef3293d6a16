"""What the public may know of a lot's prices: what holds, what is coming, and which references bound it (N3.3)."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select

from app.domain.lots.models import Lot
from app.domain.lots.queries import IS_PUBLIC
from app.domain.pricing.models import (
    LotPrice,
    LotTariff,
    ReferenceLot,
    ReferenceSet,
    ReferenceSetMember,
    ReferenceVersion,
    TariffVersion,
)
from app.domain.pricing.queries.bases import rules_at
from app.domain.pricing.rules.proofs import LOWEST
from app.domain.pricing.rules.table import PriceTable, price_table
from app.domain.pricing.rules.tariff import Tariff
from app.kernel import clock
from app.kernel.db import current, transaction


@dataclass(frozen=True)
class ShownTariff:
    """A tariff of a lot in words; `notice` is what was announced when it was published."""

    key: uuid.UUID
    name: str
    document: str
    begins_at: datetime
    running: str
    notice: str | None
    table: PriceTable


@dataclass(frozen=True)
class ShownReference:
    """A reference that bounds a lot's fees: its approval, how far away it lies (a zone: None), and what it charges."""

    name: str
    kind: str
    approval: str
    distance_m: int | None
    table: PriceTable


@dataclass(frozen=True)
class ShownPrices:
    """A lot's tariff of now (None: none is published), those to come, and what bounds them by which rule."""

    now: ShownTariff | None
    coming: Sequence[ShownTariff]
    rule: str
    references: Sequence[ShownReference]


def shown_prices(lot_id: int) -> ShownPrices:
    """Everything about a lot's prices at this moment."""
    with transaction():
        now = clock.now()
        charged = list(current().execute(_tariffs(lot_id, now)))
        shown = [_tariff(row, tariff, notice) for row, tariff, notice in charged]
        rule = rules_at([lot_id], now).get(lot_id)
        around = [_reference(*row) for row in current().execute(_references(lot_id, now))]
    first = shown[:1] if shown and shown[0].begins_at <= now else []
    return ShownPrices(first[0] if first else None, shown[len(first) :], rule.rule if rule else LOWEST, around)


def _tariffs(lot_id: int, now: datetime) -> Select[LotTariff, TariffVersion, str | None]:
    return (
        select(LotTariff, TariffVersion, LotPrice.notice)
        .join(TariffVersion, TariffVersion.id == LotTariff.tariff_id)
        .outerjoin(LotPrice, LotPrice.id == LotTariff.price_id)
        .where(LotTariff.lot_id == lot_id, func.coalesce(func.upper(LotTariff.valid) > now, True))
        .order_by(func.lower(LotTariff.valid))
    )


def _tariff(row: LotTariff, tariff: TariffVersion, notice: str | None) -> ShownTariff:
    assert row.valid.lower is not None
    table = price_table(Tariff.load(tariff.parameters))
    return ShownTariff(tariff.key, tariff.name, tariff.document, row.valid.lower, row.running, notice, table)


def _references(
    lot_id: int, now: datetime
) -> Select[ReferenceLot, ReferenceVersion, ReferenceSetMember, TariffVersion]:
    return (
        select(ReferenceLot, ReferenceVersion, ReferenceSetMember, TariffVersion)
        .join(ReferenceVersion, ReferenceVersion.reference_id == ReferenceLot.id)
        .join(ReferenceSetMember, ReferenceSetMember.reference_id == ReferenceLot.id)
        .join(ReferenceSet, ReferenceSet.id == ReferenceSetMember.set_id)
        .join(TariffVersion, TariffVersion.id == ReferenceVersion.tariff_id)
        .where(
            ReferenceSet.lot_id == lot_id, ReferenceSet.valid.contains(now), ReferenceVersion.state == "approved",
            ReferenceVersion.valid.contains(now),
        )
        .order_by(ReferenceSetMember.distance_m, ReferenceLot.id)
    )  # fmt: skip


def _reference(
    of: ReferenceLot, row: ReferenceVersion, member: ReferenceSetMember, tariff: TariffVersion
) -> ShownReference:  # fmt: skip
    table = price_table(Tariff.load(tariff.parameters))
    return ShownReference(of.name, of.kind, row.approval, member.distance_m, table)


@dataclass(frozen=True)
class Change:
    """A price that is announced and does not hold yet."""

    id: int
    lot: Lot
    effective_from: datetime
    notice: str


def coming_changes(before_id: int | None, limit: int) -> list[Change]:
    """Announced prices of public lots, the newest announcement first; `before_id` is the last one already seen."""
    asked = (
        select(LotPrice, Lot)
        .join(Lot, Lot.id == LotPrice.lot_id)
        .where(IS_PUBLIC, LotPrice.state == "published", LotPrice.effective_from > clock.now())
        .order_by(LotPrice.id.desc())
        .limit(limit)
    )
    if before_id is not None:
        asked = asked.where(LotPrice.id < before_id)
    with transaction() as session:
        return [_change(price, lot) for price, lot in session.execute(asked)]


def _change(price: LotPrice, lot: Lot) -> Change:
    assert price.effective_from is not None
    assert price.notice is not None
    return Change(price.id, lot, price.effective_from, price.notice)


def coming_of(lot_ids: Sequence[int], at: datetime) -> Mapping[int, list[Change]]:
    """For each lot that has some, the announced prices that begin to hold after a moment, the earliest first."""
    asked = (
        select(LotPrice, Lot)
        .join(Lot, Lot.id == LotPrice.lot_id)
        .where(LotPrice.lot_id.in_(lot_ids), LotPrice.state == "published", LotPrice.effective_from > at)
        .order_by(LotPrice.effective_from)
    )
    found: dict[int, list[Change]] = {}
    with transaction() as session:
        for price, lot in session.execute(asked):
            found.setdefault(lot.id, []).append(_change(price, lot))
    return found
