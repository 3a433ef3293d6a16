"""What a stay in a lot costs: the lot's own tariff, and the cap of the reference lots around it (N3.3)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range

from app.domain.calendars.queries import day_book
from app.domain.pricing.models import FreeSpan, LotTariff, TariffVersion
from app.domain.pricing.queries.bases import Basis, bases_at
from app.domain.pricing.rules import NO_HISTORY, BilledFee, DayOf, FreeTime, Source, Tariff, hourly_text
from app.domain.pricing.rules.lot_prices import Around, Held, LotPrices
from app.kernel.clock import business_day
from app.kernel.db import transaction
from app.kernel.refusals import Conflict
from app.kernel.spans import bounds

__all__ = [
    "LotPrices",
    "PriceWords",
    "TariffMissing",
    "fee_of_span",
    "free_times",
    "price_words",
    "prices_at",
    "prices_of",
    "tariffs",
]

DAY = timedelta(days=1)


class TariffMissing(Conflict):
    """No tariff holds for this lot at that time; nothing may be charged."""

    code = "tariff_missing"
    message = "该停车场尚未公布收费标准"


@dataclass(frozen=True)
class PriceWords:
    """A lot's own price rules of a day in short, for any vehicle, and whether nothing is ever charged."""

    text: str
    is_free: bool


def price_words(lot_ids: Sequence[int], at: datetime) -> Mapping[int, PriceWords]:
    """The words of each lot that has a tariff at a moment; each tariff is put into words once."""
    own = select(LotTariff.lot_id, LotTariff.tariff_id).where(
        LotTariff.lot_id.in_(lot_ids), LotTariff.valid.contains(at)
    )
    book = day_book(business_day(at) - DAY, business_day(at) + DAY)
    with transaction() as session:
        charged = dict(session.execute(own).all())
    ids = set(charged.values())
    known = tariffs(ids)
    words = {each: _words(known[each], at, book.day) for each in ids}
    return {lot_id: words[tariff_id] for lot_id, tariff_id in charged.items()}


def _words(tariff: Tariff, at: datetime, day_of: DayOf) -> PriceWords:
    return PriceWords(hourly_text(tariff, at, tariff.calendar(day_of)), tariff.is_free)


def prices_at(lot_ids: Sequence[int], at: datetime, until: datetime | None = None) -> Mapping[int, LotPrices]:
    """The prices of each lot that has a tariff at a moment, for stays that end by `until` (default: the same day)."""
    with transaction():
        bases = bases_at(lot_ids, at, until or at)
    known = tariffs({source.tariff_id for basis in bases.values() for source in _sources(basis)})
    book = day_book(business_day(at) - DAY, business_day(until or at) + DAY)
    return {lot_id: _prices(basis, known, book.day) for lot_id, basis in bases.items()}


def _sources(basis: Basis) -> list[Source]:
    return [*(source for _, source in basis.own), *basis.references]


def _prices(basis: Basis, known: Mapping[int, Tariff], day_of: DayOf) -> LotPrices:
    own = tuple(Held(since, source, known[source.tariff_id]) for since, source in basis.own)
    around = tuple(Around(source, known[source.tariff_id]) for source in basis.references)
    return LotPrices(own, around, day_of, basis.rule)


def prices_of(lot_id: int, at: datetime, until: datetime | None = None) -> LotPrices:
    """One lot's prices, as `prices_at`. Refuses `TariffMissing`."""
    prices = prices_at([lot_id], at, until).get(lot_id)
    if prices is None:
        raise TariffMissing(lot_id=lot_id)
    return prices


def fee_of_span(lot_id: int, begins_at: datetime, ends_at: datetime, vehicle_class: str) -> BilledFee:
    """What a stay [begins_at, ends_at) would cost a vehicle without other stays, announced free time included.

    Refuses `TariffMissing`, `NoPrice`.
    """
    prices = prices_of(lot_id, begins_at, ends_at)
    return prices.fee(begins_at, ends_at, vehicle_class, NO_HISTORY, free_times(lot_id, begins_at, ends_at))


_loaded: dict[int, Tariff] = {}


def tariffs(ids: Collection[int]) -> Mapping[int, Tariff]:
    """Stored tariffs, each read once per process: their rows never change."""
    missing = [each for each in ids if each not in _loaded]
    if missing:
        stored = select(TariffVersion.id, TariffVersion.parameters).where(TariffVersion.id.in_(missing))
        with transaction() as session:
            _loaded.update((each, Tariff.load(parameters)) for each, parameters in session.execute(stored))
    return _loaded


def free_times(lot_id: int, begins_at: datetime, ends_at: datetime) -> list[FreeTime]:
    """The times in which a lot takes no money that touch [begins_at, ends_at], in order."""
    asked = select(FreeSpan).where(
        FreeSpan.lot_id == lot_id, FreeSpan.valid.overlaps(Range(begins_at, ends_at, bounds="[]"))
    )
    with transaction() as session:
        rows = session.scalars(asked).all()
    return sorted(FreeTime(*bounds(row.valid), row.id) for row in rows)
