"""What a stay in a lot costs: the lot's own tariff, and the cap of the reference lots around it (N3.3)."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import literal, select, union_all
from sqlalchemy.dialects.postgresql import Range

from app.domain.calendars.queries import day_book
from app.domain.pricing.models import FreeSpan, LotReference, LotTariff, ReferenceLot, TariffVersion
from app.domain.pricing.rules import (
    NO_HISTORY,
    BilledFee,
    DayOf,
    FreeTime,
    History,
    NoPrice,
    Quote,
    Tariff,
    capped,
    charged_parts,
    hourly_text,
    quote,
)
from app.kernel.clock import business_day
from app.kernel.db import transaction
from app.kernel.refusals import Conflict
from app.kernel.spans import bounds

DAY = timedelta(days=1)


class TariffMissing(Conflict):
    """No tariff holds for this lot at that time; nothing may be charged."""

    code = "tariff_missing"
    message = "该停车场尚未公布收费标准"


@dataclass(frozen=True)
class LotPrices:
    """The tariffs that decide what a lot may charge at one moment."""

    own: Tariff
    references: tuple[Tariff, ...]
    day_of: DayOf

    def fee(
        self, entry: datetime, exit_: datetime, vehicle_class: str, history: History = NO_HISTORY,
        free: Sequence[FreeTime] = (),
    ) -> BilledFee:  # fmt: skip
        """The fee of the stay [entry, exit_): the own tariff's, never above the lowest reference's.

        A reference tariff that has no price for this very stay, as a lot that is shut by night, bounds nothing. A stay
        that ends in free time costs nothing; free time that is over is not counted, and never makes a stay dearer.
        """
        whole = self._capped(entry, exit_, vehicle_class, history)
        if not free:
            return whole
        before, paid_fen = list(history), 0
        for begins_at, ends_at in charged_parts(entry, exit_, free):
            paid_fen += self._capped(begins_at, ends_at, vehicle_class, before).fee_fen
            before.append((begins_at, ends_at))
        return replace(whole, waived_fen=max(whole.fee_fen - paid_fen, 0), waiver=free[-1])

    def _capped(
        self, entry: datetime, exit_: datetime, vehicle_class: str, history: History
    ) -> BilledFee:  # fmt: skip
        own = self._quote(self.own, entry, exit_, vehicle_class, history)
        return capped(own, list(self._reference_quotes(entry, exit_, vehicle_class, history)))

    def _reference_quotes(
        self, entry: datetime, exit_: datetime, vehicle_class: str, history: History
    ) -> Iterator[Quote]:
        for tariff in self.references:
            try:
                yield self._quote(tariff, entry, exit_, vehicle_class, history)
            except NoPrice:
                continue

    def _quote(self, tariff: Tariff, entry: datetime, exit_: datetime, vehicle_class: str, history: History) -> Quote:
        return quote(tariff, entry, exit_, _class_in(tariff, vehicle_class), history, tariff.calendar(self.day_of))

    def per_hour(self, at: datetime, vehicle_class: str) -> str:
        """The lot's own price rules of that day, in short."""
        return hourly_text(self.own, at, self.own.calendar(self.day_of), _class_in(self.own, vehicle_class))


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


def _class_in(tariff: Tariff, vehicle_class: str) -> str:
    """A tariff that does not name a class prices it as any other vehicle."""
    return vehicle_class if vehicle_class in tariff.vehicle_classes else tariff.default_class


def prices_at(lot_ids: Sequence[int], at: datetime, until: datetime | None = None) -> Mapping[int, LotPrices]:
    """The prices of each lot that has a tariff at a moment, for stays that end by `until` (default: the same day)."""
    own, around = _tariffs_at(lot_ids, at)
    book = day_book(business_day(at) - DAY, business_day(until or at) + DAY)
    return {lot_id: LotPrices(tariff, tuple(around[lot_id]), book.day) for lot_id, tariff in own.items()}


def _tariffs_at(lot_ids: Sequence[int], at: datetime) -> tuple[Mapping[int, Tariff], Mapping[int, list[Tariff]]]:
    """Each lot's own tariff, and those of the reference lots around it."""
    own = select(LotTariff.lot_id, LotTariff.tariff_id, literal(True)).where(
        LotTariff.lot_id.in_(lot_ids), LotTariff.valid.contains(at)
    )
    around = (
        select(LotReference.lot_id, ReferenceLot.tariff_id, literal(False))
        .join(ReferenceLot, ReferenceLot.id == LotReference.reference_lot_id)
        .where(LotReference.lot_id.in_(lot_ids), ReferenceLot.valid.contains(at))
    )
    with transaction() as session:
        rows = session.execute(union_all(own, around)).all()
    known = tariffs({tariff_id for _, tariff_id, _ in rows})
    references: dict[int, list[Tariff]] = defaultdict(list)
    for lot_id, tariff_id, is_own in rows:
        if not is_own:
            references[lot_id].append(known[tariff_id])
    return {lot_id: known[tariff_id] for lot_id, tariff_id, is_own in rows if is_own}, references


def prices_of(lot_id: int, at: datetime, until: datetime | None = None) -> LotPrices:
    """One lot's prices, as `prices_at`. Refuses `TariffMissing`."""
    prices = prices_at([lot_id], at, until).get(lot_id)
    if prices is None:
        raise TariffMissing(lot_id=lot_id)
    return prices


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
