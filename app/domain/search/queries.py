"""Open bays near a point for a span, with the fee; up to 2 s stale is allowed, since `reserve` asks again."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain.claims.queries import open_bays
from app.domain.lots import queries as lots
from app.domain.lots.models import Lot
from app.domain.lots.queries import NearbyLot, Point
from app.domain.pricing.queries import LotPrices, prices_at
from app.domain.pricing.rules import NoPrice
from app.domain.units.models import Unit
from app.kernel import clock
from app.kernel.clock import SHANGHAI
from app.kernel.db import transaction
from app.kernel.money import Fen
from app.kernel.spans import span


@dataclass(frozen=True)
class OpenLot:
    """A lot as a motorist compares it with others for one span.

    `open_bays` are free for the whole span, and none when the lot is shut for part of it. `fee_fen` is what
    the stay would cost, `None` where no tariff is published for it. `today` are the open hours of the day on
    which the span begins; `next_opening` is set when the lot is shut at that moment.
    """

    lot: Lot
    unit: Unit
    distance_m: int
    shared_bays: int
    open_bays: int
    is_open: bool
    today: Sequence[tuple[datetime, datetime]]
    next_opening: datetime | None
    fee_fen: Fen | None
    fee_before_cap_fen: Fen | None
    price_text: str | None


def find_open(
    point: Point, begins_at: datetime, ends_at: datetime, radius_m: int, vehicle_class: str,
    after: tuple[int, int] | None, limit: int,
) -> Sequence[OpenLot]:  # fmt: skip
    """Lots within `radius_m` metres, the nearest first; `after` is the (distance, lot id) of the last one seen."""
    with transaction():
        return _compared(lots.lots_near(point, radius_m, after, limit), begins_at, ends_at, vehicle_class)


def lot_page(lot_key: uuid.UUID, begins_at: datetime, ends_at: datetime, vehicle_class: str) -> OpenLot:
    """One lot for a span. Refuses `LotNotFound`."""
    with transaction():
        return _compared([lots.lot_itself(lot_key)], begins_at, ends_at, vehicle_class)[0]


def _compared(near: Sequence[NearbyLot], begins_at: datetime, ends_at: datetime, vehicle_class: str) -> list[OpenLot]:
    """One question to each room for all lots together, never one per lot."""
    ids = [each.lot.id for each in near]
    midnight = _midnight(begins_at)
    windows = lots.windows(ids, span(midnight, max(midnight + timedelta(days=1), ends_at)))
    free = open_bays(ids, span(begins_at, ends_at), clock.now())
    shut = [lot_id for lot_id in ids if not _covers(windows[lot_id], begins_at, begins_at)]
    openings = lots.next_openings(shut, begins_at) if shut else {}
    prices = prices_at(ids, begins_at, ends_at)
    compared = []
    for each in near:
        lot_id = each.lot.id
        fee, before_cap, text = _fee(prices.get(lot_id), begins_at, ends_at, vehicle_class)
        compared.append(
            OpenLot(
                lot=each.lot, unit=each.unit, distance_m=each.distance_m, shared_bays=each.shared_bays,
                open_bays=free.get(lot_id, 0) if _covers(windows[lot_id], begins_at, ends_at) else 0,
                is_open=lot_id not in shut, today=_on_day(windows[lot_id], midnight),
                next_opening=openings.get(lot_id),
                fee_fen=fee, fee_before_cap_fen=before_cap, price_text=text,
            )
        )  # fmt: skip
    return compared


def _midnight(at: datetime) -> datetime:
    return at.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)


def _covers(windows: Sequence[tuple[datetime, datetime]], begins_at: datetime, ends_at: datetime) -> bool:
    return any(opens_at <= begins_at < closes_at and ends_at <= closes_at for opens_at, closes_at in windows)


def _on_day(windows: Sequence[tuple[datetime, datetime]], midnight: datetime) -> list[tuple[datetime, datetime]]:
    """The windows cut to one day."""
    next_midnight = midnight + timedelta(days=1)
    return [
        (max(opens_at, midnight), min(closes_at, next_midnight))
        for opens_at, closes_at in windows
        if opens_at < next_midnight and closes_at > midnight
    ]


def _fee(
    prices: LotPrices | None, begins_at: datetime, ends_at: datetime, vehicle_class: str
) -> tuple[Fen | None, Fen | None, str | None]:
    if prices is None:
        return None, None, None
    text = prices.per_hour(begins_at, vehicle_class)
    try:
        fee = prices.fee(begins_at, ends_at, vehicle_class)
    except NoPrice:
        return None, None, text
    return fee.fee_fen, fee.own.total_fen, text
