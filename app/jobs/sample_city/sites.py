"""A lot as a driver knows it: where one drives in and out, when it is open, whether it costs anything."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from app.domain.lots.models import Lot
from app.domain.lots.queries import windows
from app.jobs.sample_city.gates import Lane, city_lanes
from app.jobs.sample_city.table import FREE, lots
from app.kernel.db import transaction
from app.kernel.spans import span


@dataclass(frozen=True)
class Site:
    """One lot of the sample city."""

    entrance: Lane
    exit: Lane
    windows: Sequence[tuple[datetime, datetime]]
    is_free: bool

    def closes_after(self, at: datetime) -> datetime | None:
        """When the window that holds at a moment ends; none when the lot is shut then."""
        return next((ends_at for begins_at, ends_at in self.windows if begins_at <= at < ends_at), None)

    def stays_open(self, at: datetime, long: timedelta) -> bool:
        """Whether it is open at a moment and for so long afterwards."""
        closes_at = self.closes_after(at)
        return closes_at is not None and closes_at - at >= long


def sites(begins_at: datetime, ends_at: datetime) -> list[Site]:
    """All lots of the sample with their open windows in a span."""
    lanes = city_lanes()
    free = {opened.lot for opened in lots() if opened.price == FREE}
    with transaction() as session:
        keys = [lane.lot_key for lane in lanes]
        ids = dict(session.execute(select(Lot.key, Lot.id).where(Lot.key.in_(keys))).all())
    open_in = windows(list(ids.values()), span(begins_at, ends_at))
    pairs = zip(lanes[::2], lanes[1::2], strict=True)
    return [Site(way_in, out, open_in[ids[way_in.lot_key]], way_in.lot_name in free) for way_in, out in pairs]
