"""Open bays for a span, with the fee: near a point, in a rectangle, by words. Up to 2 s stale: `reserve` asks again."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from app.domain.claims.queries import CAR_BAYS
from app.domain.lots.queries import LotNotFound, Point
from app.domain.pricing.queries import tariffs
from app.domain.pricing.rules import NoPrice, Source
from app.domain.pricing.rules.lot_prices import Around, Held, LotPrices
from app.domain.search.queries.keeping import KEEPER, Calendars, days_around, forget, fresh
from app.domain.search.queries.loading import normal
from app.domain.search.rules.board import BoardLot, Found, PriceSet, Window
from app.kernel.clock import SHANGHAI, business_day
from app.kernel.money import Fen
from app.kernel.refusals import Invalid

__all__ = [
    "Asked",
    "Compared",
    "Needs",
    "OpenLot",
    "Rectangle",
    "RectangleTooLarge",
    "compared",
    "find_open",
    "find_speaking_of",
    "find_within",
    "forget",
    "fresh",
    "lot_page",
]

ONE_DAY: Final = timedelta(days=1)
WIDEST_DEGREES: Final = 0.5
MOST_REMEMBERED: Final = 200_000
"""So many comparisons are kept in memory, and a quarter as many quotes."""


class RectangleTooLarge(Invalid):
    """The corners are swapped, or lie farther apart than a map of a city shows at once."""

    code = "rectangle_too_large"
    message = "地图范围有误或过大，请放大地图后重试"


@dataclass(frozen=True, slots=True)
class Asked:
    """The stay for which lots are compared: [begins_at, ends_at), aware, and the class that tariffs know it by."""

    begins_at: datetime
    ends_at: datetime
    vehicle_class: str = "small"


@dataclass(frozen=True, slots=True)
class Needs:
    """What a lot must have to be listed; the vehicle's size is in centimetres, the fee in fen for the whole stay."""

    open_for_all: bool = False
    charging: bool = False
    accessible: bool = False
    height_cm: int | None = None
    length_cm: int | None = None
    most_fen: Fen | None = None

    def met_by(self, lot: BoardLot, asked: Asked) -> bool:
        """Whether the lot is worth listing for this stay; a lot without a known limit lets every vehicle in."""
        kinds = {kind for kind, needed in (("charging", self.charging), ("accessible", self.accessible)) if needed}
        fits = _fits(self.height_cm, lot.told["height_limit_cm"]) and _fits(self.length_cm, lot.told["length_limit_cm"])
        if not fits or not kinds <= lot.gaps.keys():
            return False
        if self.open_for_all and not lot.is_open(asked.begins_at, asked.ends_at):
            return False
        if self.most_fen is None:
            return True
        fee_fen = compared(lot, asked).fee_fen
        return fee_fen is not None and fee_fen <= self.most_fen


@dataclass(frozen=True, slots=True)
class Rectangle:
    """Part of a map between its south-western and north-eastern corners, GCJ-02 degrees."""

    south: float
    west: float
    north: float
    east: float

    def checked(self) -> "Rectangle":
        """The same. Refuses `RectangleTooLarge`."""
        if not (0 <= self.north - self.south <= WIDEST_DEGREES and 0 <= self.east - self.west <= WIDEST_DEGREES):
            raise RectangleTooLarge(widest_degrees=WIDEST_DEGREES)
        return self


@dataclass(frozen=True, slots=True)
class Compared:
    """A lot for one stay.

    `open_bays` are those for any car that are free for the whole span, `bays` the same by kind: none when the lot is
    shut for part of it. `fee_fen` is what the stay would cost, `None` where no tariff is published for it. `today` are
    the open hours of the day on which the span begins; `next_opening` is set when the lot is shut at that moment.
    """

    open_bays: int
    bays: Mapping[str, int]
    is_open: bool
    today: Sequence[Window]
    next_opening: datetime | None
    fee_fen: Fen | None
    fee_before_cap_fen: Fen | None
    price_text: str | None
    is_provisional: bool
    shown: dict[str, bytes] = field(default_factory=dict, compare=False)
    """For doors: the same in their words."""


@dataclass(frozen=True, slots=True)
class OpenLot:
    """A lot as a motorist compares it with others for one span."""

    distance_m: int
    lot: BoardLot
    stay: Compared


def find_open(
    point: Point, asked: Asked, radius_m: int, after: tuple[int, int] | None, limit: int, needs: Needs | None = None,
    max_age: float = 0.0,
) -> list[OpenLot]:  # fmt: skip
    """Lots within `radius_m` metres, the nearest first; `after` is the (distance, lot id) of the last one seen.

    What is told is at most `max_age` seconds old.
    """
    board = fresh(max_age)
    wanted = None if needs is None else lambda lot: needs.met_by(lot, asked)
    return _shown(board.nearest(point.latitude, point.longitude, radius_m, after, limit, wanted), asked)


def find_within(
    rectangle: Rectangle, asked: Asked, limit: int, needs: Needs | None = None, max_age: float = 0.0
) -> list[OpenLot]:
    """Lots in part of a map, those nearest to its middle first. Refuses `RectangleTooLarge`."""
    part = rectangle.checked()
    wanted = None if needs is None else lambda lot: needs.met_by(lot, asked)
    return _shown(fresh(max_age).within(part.south, part.west, part.north, part.east, limit, wanted), asked)


def find_speaking_of(
    words: str, point: Point, asked: Asked, limit: int, needs: Needs | None = None, max_age: float = 0.0
) -> list[OpenLot]:
    """Lots whose name, address or unit holds every one of the words, however wide or in which case they are written."""
    wanted = None if needs is None else lambda lot: needs.met_by(lot, asked)
    found = fresh(max_age).speaking_of(normal(words), point.latitude, point.longitude, limit, wanted)
    return _shown(found, asked)


def lot_page(lot_key: uuid.UUID, asked: Asked, max_age: float = 0.0) -> OpenLot:
    """One lot that the public may see, for a span. Refuses `LotNotFound`."""
    lot = fresh(max_age).by_key(lot_key)
    if lot is None:
        raise LotNotFound
    return OpenLot(0, lot, compared(lot, asked))


def _shown(found: Sequence[Found], asked: Asked) -> list[OpenLot]:
    return [OpenLot(each.distance_m, each.lot, compared(each.lot, asked)) for each in found]


def _fits(size_cm: int | None, limit_cm: int | None) -> bool:
    return size_cm is None or limit_cm is None or size_cm <= limit_cm


_compared: dict[tuple[BoardLot, Asked], Compared] = {}


def compared(lot: BoardLot, asked: Asked) -> Compared:
    """The lot for this stay; reckoned once for as long as nothing about the lot changes."""
    known = _compared.get((lot, asked))
    if known is None:
        if len(_compared) > MOST_REMEMBERED:
            _compared.clear()
        known = _compared[lot, asked] = _compare(lot, asked)
    return known


def _compare(lot: BoardLot, asked: Asked) -> Compared:
    begins_at, ends_at = asked.begins_at, asked.ends_at
    bays = {kind: lot.free(begins_at, ends_at, (kind,)) for kind in lot.gaps}
    is_open = lot.window_at(begins_at) is not None
    fee_fen, before_cap_fen, price_text = _fee(lot.prices(begins_at, ends_at), asked)
    return Compared(
        open_bays=sum(bays.get(kind, 0) for kind in CAR_BAYS), bays=bays, is_open=is_open,
        today=_today(lot, begins_at), next_opening=None if is_open else lot.next_opening(begins_at),
        fee_fen=fee_fen, fee_before_cap_fen=before_cap_fen, price_text=price_text,
        is_provisional=_is_provisional(business_day(begins_at)),
    )  # fmt: skip


def _is_provisional(day: date) -> bool:
    return days_around(day, day).is_provisional(day)


def _today(lot: BoardLot, at: datetime) -> Sequence[Window]:
    """The windows cut to the day of a moment."""
    day = business_day(at)
    known: Sequence[Window] | None = lot.memo.get(day)
    if known is None:
        midnight = at.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
        known = lot.memo[day] = lot.windows_on(midnight, midnight + ONE_DAY)
    return known


Fee = tuple[Fen | None, Fen | None, str | None]
_fees: dict[tuple[PriceSet, Asked, Calendars], Fee] = {}
"""Quotes that were made: many lots charge alike, and stored tariffs never change. Emptied when it grows large."""


def _fee(prices: PriceSet | None, asked: Asked) -> Fee:
    """The fee, what it would be without the cap, and the price of that day in words."""
    if prices is None:
        return None, None, None
    place = (prices, asked, KEEPER.calendars)
    known = _fees.get(place)
    if known is None:
        if len(_fees) > MOST_REMEMBERED // 4:
            _fees.clear()
        known = _fees[place] = _quoted(prices, asked)
    return known


def _quoted(prices: PriceSet, asked: Asked) -> Fee:
    own_ids = {tariff_id for _, tariff_id in prices.own}
    read = tariffs(own_ids | set(prices.references))
    first, last = business_day(asked.begins_at) - ONE_DAY, business_day(asked.ends_at) + ONE_DAY
    day_of = days_around(first, last).day
    own = tuple(Held(since, Source(tariff_id), read[tariff_id]) for since, tariff_id in prices.own)
    around = tuple(Around(Source(tariff_id), read[tariff_id]) for tariff_id in prices.references)
    lot = LotPrices(own, around, day_of, prices.rule)
    text = lot.per_hour(asked.begins_at, asked.vehicle_class)
    try:
        fee = lot.fee(asked.begins_at, asked.ends_at, asked.vehicle_class)
    except NoPrice:
        return None, None, text
    return fee.fee_fen, fee.own_fen, text
