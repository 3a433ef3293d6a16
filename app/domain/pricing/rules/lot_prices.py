"""The tariffs that decide what a lot may charge, and the fee of a stay under them (N3.3)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from app.domain.pricing.rules.caps import BilledFee, FreeTime, Priced, Source, charged_parts
from app.domain.pricing.rules.day_classes import DayOf
from app.domain.pricing.rules.hourly import hourly_text
from app.domain.pricing.rules.proofs.combining import LOWEST
from app.domain.pricing.rules.quotes import NO_HISTORY, History, Quote, quote
from app.domain.pricing.rules.spans import NoPrice
from app.domain.pricing.rules.tariff import Tariff


class Held(NamedTuple):
    """A tariff of the lot's own, and since when stays are priced by it."""

    since: datetime
    source: Source
    tariff: Tariff


class Around(NamedTuple):
    """A reference's tariff."""

    source: Source
    tariff: Tariff


@dataclass(frozen=True)
class LotPrices:
    """What a lot may charge for stays that begin at a moment.

    The first of `own` holds then; each later one takes over the stays that run when it begins (`split`). References
    are those of the entry for the whole stay.
    """

    own: tuple[Held, ...]
    references: tuple[Around, ...]
    day_of: DayOf
    rule: str = LOWEST

    def fee(
        self, entry: datetime, exit_: datetime, vehicle_class: str, history: History = NO_HISTORY,
        free: Sequence[FreeTime] = (),
    ) -> BilledFee:  # fmt: skip
        """The fee of the stay [entry, exit_): the lot's own, never above what the references allow for this very stay.

        A reference tariff that has no price for it, as a lot that is shut by night, bounds nothing. A stay that ends
        in free time costs nothing; free time that is over is not counted, and never makes a stay dearer.
        """
        whole = self._capped(entry, exit_, vehicle_class, history)
        if not free:
            return whole
        before, paid_fen = list(history), 0
        for begins_at, ends_at in charged_parts(entry, exit_, free):
            paid_fen += self._capped(begins_at, ends_at, vehicle_class, before).fee_fen
            before.append((begins_at, ends_at))
        return replace(whole, waived_fen=max(whole.fee_fen - paid_fen, 0), waiver=free[-1])

    def per_hour(self, at: datetime, vehicle_class: str) -> str:
        """The lot's own price rules of that day, in short."""
        own = self.own[0].tariff
        return hourly_text(own, at, own.calendar(self.day_of), _class_in(own, vehicle_class))

    def _capped(
        self, entry: datetime, exit_: datetime, vehicle_class: str, history: History
    ) -> BilledFee:  # fmt: skip
        """Totals are compared, for the very stay: free minutes, tails and caps differ, so rates alone prove nothing."""
        own = tuple(self._own(entry, exit_, vehicle_class, history))
        caps = tuple(self._caps(entry, exit_, vehicle_class, history))
        return BilledFee(own, caps, self.rule)

    def _own(self, entry: datetime, exit_: datetime, vehicle_class: str, history: History) -> Iterator[Priced]:
        """The stay cut where a tariff takes over; each part is priced as a stay of its own after those before it."""
        before = list(history)
        for begins_at, ends_at, held in self._parts(entry, exit_):
            yield Priced(held.source, self._quote(held.tariff, begins_at, ends_at, vehicle_class, before))
            before.append((begins_at, ends_at))

    def _parts(self, entry: datetime, exit_: datetime) -> Iterator[tuple[datetime, datetime, Held]]:
        place = max((place for place, each in enumerate(self.own) if each.since <= entry), default=0)
        begins_at = entry
        for held, later in zip(self.own[place:], (*self.own[place + 1 :], None), strict=True):
            ends_at = exit_ if later is None else min(later.since, exit_)
            yield begins_at, ends_at, held
            begins_at = ends_at
            if begins_at >= exit_:
                return

    def _caps(self, entry: datetime, exit_: datetime, vehicle_class: str, history: History) -> Iterator[Priced]:
        for source, tariff in self.references:
            try:
                yield Priced(source, self._quote(tariff, entry, exit_, vehicle_class, history))
            except NoPrice:
                continue

    def _quote(self, tariff: Tariff, entry: datetime, exit_: datetime, vehicle_class: str, history: History) -> Quote:
        return quote(tariff, entry, exit_, _class_in(tariff, vehicle_class), history, tariff.calendar(self.day_of))


def _class_in(tariff: Tariff, vehicle_class: str) -> str:
    """A tariff that does not name a class prices it as any other vehicle."""
    return vehicle_class if vehicle_class in tariff.vehicle_classes else tariff.default_class
