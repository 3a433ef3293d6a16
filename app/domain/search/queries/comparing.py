"""A lot for one stay, in parts that many lots and stays share: each is reckoned once, and a door words it once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from app.domain.claims.queries import CAR_BAYS
from app.domain.pricing.queries import tariffs
from app.domain.pricing.rules import NoPrice, Source
from app.domain.pricing.rules.lot_prices import Around, Held, LotPrices
from app.domain.search.queries.keeping import KEEPER, Calendars, days_around
from app.domain.search.rules.bays import Kinds
from app.domain.search.rules.board import BoardLot, Found
from app.domain.search.rules.price_book import PriceSet
from app.domain.search.rules.timetable import Timetable, Window
from app.kernel.clock import SHANGHAI, business_day
from app.kernel.money import Fen

ONE_DAY: Final = timedelta(days=1)
MOST_STAYS: Final = 10_000
"""So many stays' prices are kept in memory: a price hangs on the tariffs and the stay, hardly ever on the lot."""
MOST_COUNTS: Final = 20_000
"""And so many sums of free bays for each set of kinds."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The stay for which lots are compared: [begins_at, ends_at), aware, and the class that tariffs know it by."""

    begins_at: datetime
    ends_at: datetime
    vehicle_class: str = "small"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of what is told about a lot for a stay."""

    shown: dict[str, bytes] = field(default_factory=dict, init=False, compare=False, repr=False)
    """For doors: the same in their words."""


@dataclass(frozen=True, slots=True)
class Bays(Part):
    """Bays that are free for the whole span, by kind, and those of them that any car may take."""

    by_kind: Mapping[str, int]
    for_any_car: int


@dataclass(frozen=True, slots=True)
class Hours(Part):
    """Whether a lot is open when the span begins; if not, when it opens next. `today` is the day of that moment."""

    is_open: bool
    next_opening: datetime | None
    today: Sequence[Window]
    is_provisional: bool


@dataclass(frozen=True, slots=True)
class Price(Part):
    """What the stay would cost, with and without the cap, `None` where no tariff is published for it; and in words."""

    fee_fen: Fen | None
    before_cap_fen: Fen | None
    text: str | None


class OpenLot(NamedTuple):
    """A lot as a motorist compares it with others for one span."""

    distance_m: int
    lot: BoardLot
    bays: Bays
    hours: Hours
    price: Price


def compared(found: Sequence[Found], asked: Asked) -> list[OpenLot]:
    """Each of these lots for this stay."""
    begins_at, ends_at = asked.begins_at, asked.ends_at
    begins, ends = begins_at.timestamp(), ends_at.timestamp()
    kept, prices = _Kept(asked), prices_for(asked)
    rows = []
    for distance_m, _, lot in found:
        is_open, hours = kept[lot.timetable]
        gaps = lot.gaps
        free = gaps.free(begins, ends) if is_open and lot.lets_in(begins_at, ends_at) else 0
        bays = gaps.kinds.memo.get(free) or _bays(gaps.kinds, free)
        rows.append(OpenLot(distance_m, lot, bays, hours, prices[lot.prices.for_stay(begins_at, ends_at)]))
    return rows


def _bays(kinds: Kinds, free: int) -> Bays:
    if len(kinds.memo) > MOST_COUNTS:
        kinds.memo.clear()
    by_kind = kinds.counts(free)
    kinds.memo[free] = bays = Bays(by_kind, sum(by_kind.get(kind, 0) for kind in CAR_BAYS))
    return bays


class _Kept(dict[Timetable, tuple[bool, Hours]]):
    """What each timetable says of one stay: whether it is open for all of it, and its hours."""

    def __init__(self, asked: Asked) -> None:
        super().__init__()
        self._asked, self._day = asked, business_day(asked.begins_at)

    def __missing__(self, timetable: Timetable) -> tuple[bool, Hours]:
        is_open = timetable.is_open(self._asked.begins_at, self._asked.ends_at)
        said = self[timetable] = is_open, _hours(timetable, self._asked.begins_at, self._day)
        return said


def _hours(timetable: Timetable, at: datetime, day: date) -> Hours:
    is_open = timetable.window_at(at) is not None
    next_opening = None if is_open else timetable.next_opening(at)
    place = (day, is_open, next_opening, KEEPER.calendars)
    known: Hours | None = timetable.memo.get(place)
    if known is None:
        midnight = at.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
        today = timetable.windows_on(midnight, midnight + ONE_DAY)
        known = timetable.memo[place] = Hours(is_open, next_opening, today, days_around(day, day).is_provisional(day))
    return known


class Prices(dict[PriceSet | None, Price]):
    """What one stay costs under each set of tariffs that was asked for; stored tariffs never change."""

    def __init__(self, asked: Asked) -> None:
        super().__init__()
        self._asked = asked

    def of(self, lot: BoardLot) -> Price:
        """What it costs in a lot."""
        return self[lot.prices.for_stay(self._asked.begins_at, self._asked.ends_at)]

    def __missing__(self, prices: PriceSet | None) -> Price:
        price = self[prices] = Price(None, None, None) if prices is None else _quoted(prices, self._asked)
        return price


def prices_for(asked: Asked) -> Prices:
    """What a stay costs, under the calendars in force."""
    return _prices(asked, KEEPER.calendars)


@lru_cache(MOST_STAYS)
def _prices(asked: Asked, _calendars: Calendars) -> Prices:
    return Prices(asked)


def _quoted(prices: PriceSet, asked: Asked) -> Price:
    read = tariffs({*(tariff_id for _, tariff_id in prices.own), *prices.references})
    first, last = business_day(asked.begins_at) - ONE_DAY, business_day(asked.ends_at) + ONE_DAY
    own = tuple(Held(since, Source(tariff_id), read[tariff_id]) for since, tariff_id in prices.own)
    around = tuple(Around(Source(tariff_id), read[tariff_id]) for tariff_id in prices.references)
    lot = LotPrices(own, around, days_around(first, last).day, prices.rule)
    text = lot.per_hour(asked.begins_at, asked.vehicle_class)
    try:
        fee = lot.fee(asked.begins_at, asked.ends_at, asked.vehicle_class)
    except NoPrice:
        return Price(None, None, text)
    return Price(fee.fee_fen, fee.own_fen, text)
